-- What the tables of home care promise beyond their columns. Raised with ERRCODE 'TB001', as the ledger's.

CREATE FUNCTION care_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is written once and never changed', TG_TABLE_NAME USING ERRCODE = 'TB001';
END $$;

-- A provider is an organisation of that kind, and offers only services and townships that exist.
CREATE FUNCTION care_guard_provider() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM organisation o WHERE o.id = NEW.organisation_id AND o.kind = 'provider')
       OR EXISTS (SELECT FROM unnest(NEW.services) s WHERE s NOT IN (SELECT code FROM care_service))
       OR EXISTS (SELECT FROM unnest(NEW.townships) t WHERE t NOT IN (SELECT code FROM township)) THEN
        RAISE EXCEPTION 'a provider is an organisation of kind provider, of known services and townships'
            USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER care_provider_guarded BEFORE INSERT OR UPDATE ON care_provider
    FOR EACH ROW EXECUTE FUNCTION care_guard_provider();

-- What is taken of a day is counted by the trigger of bookings, and by nobody else.
CREATE FUNCTION care_guard_capacity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.used_minutes = 0 THEN
        RETURN NEW;
    END IF;
    IF TG_OP <> 'UPDATE' OR (NEW.provider_id, NEW.day) IS DISTINCT FROM (OLD.provider_id, OLD.day)
       OR NEW.used_minutes <> OLD.used_minutes AND pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'what is taken of a day is counted by its bookings' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER care_capacity_guarded BEFORE INSERT OR UPDATE OR DELETE ON care_capacity
    FOR EACH ROW EXECUTE FUNCTION care_guard_capacity();
CREATE TRIGGER care_capacity_stays BEFORE TRUNCATE ON care_capacity
    FOR EACH STATEMENT EXECUTE FUNCTION care_refuse_change();

-- The same as WORKED in redemption/care/rules.py.
CREATE FUNCTION care_takes_place(status text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT status IN ('assigned', 'checked_in', 'checked_out', 'disputed', 'confirmed', 'not_home')
$$;

CREATE FUNCTION care_count_capacity() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken bigint := CASE WHEN care_takes_place(NEW.status) THEN NEW.minutes ELSE 0 END
                  - CASE WHEN care_takes_place(OLD.status) THEN OLD.minutes ELSE 0 END;
BEGIN
    IF taken <> 0 THEN
        UPDATE care_capacity SET used_minutes = used_minutes + taken
        WHERE provider_id = coalesce(NEW.provider_id, OLD.provider_id) AND day = NEW.day;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'a day is opened before anybody is sent on it' USING ERRCODE = 'TB001';
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER care_booking_counted AFTER UPDATE OF status, provider_id ON care_booking
    FOR EACH ROW EXECUTE FUNCTION care_count_capacity();

-- A booking begins as booked, moves forward only, and what was agreed or has happened never changes.
CREATE FUNCTION care_guard_booking() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'booked' OR NEW.checked_in_at IS NOT NULL THEN
            RAISE EXCEPTION 'a booking begins as booked' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.ended_at IS NOT NULL
       OR (NEW.id, NEW.elder_id, NEW.township_code, NEW.service, NEW.starts_at, NEW.ends_at, NEW.minutes,
           NEW.rate_percent, NEW.held_minutes, NEW.policy_version, NEW.service_code, NEW.chosen_provider_id,
           NEW.only_township_code, NEW.address, NEW.latitude, NEW.longitude, NEW.note, NEW.evidence, NEW.hold_until,
           NEW.booked_at, NEW.booked_by, NEW.booked_by_name)
          IS DISTINCT FROM
          (OLD.id, OLD.elder_id, OLD.township_code, OLD.service, OLD.starts_at, OLD.ends_at, OLD.minutes,
           OLD.rate_percent, OLD.held_minutes, OLD.policy_version, OLD.service_code, OLD.chosen_provider_id,
           OLD.only_township_code, OLD.address, OLD.latitude, OLD.longitude, OLD.note, OLD.evidence, OLD.hold_until,
           OLD.booked_at, OLD.booked_by, OLD.booked_by_name)
       OR OLD.checked_in_at IS NOT NULL AND NEW.checked_in_at IS DISTINCT FROM OLD.checked_in_at
       OR OLD.checked_out_at IS NOT NULL
          AND (NEW.checked_out_at, NEW.served_minutes) IS DISTINCT FROM (OLD.checked_out_at, OLD.served_minutes)
       OR OLD.disputed_by IS NOT NULL AND NEW.disputed_by IS DISTINCT FROM OLD.disputed_by
       OR NEW.service_code_misses < OLD.service_code_misses THEN
        RAISE EXCEPTION 'what booking % says never changes', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF NEW.status <> OLD.status
       AND (OLD.status, NEW.status) NOT IN (
           ('booked', 'assigned'), ('booked', 'cancelled'), ('booked', 'lapsed'),
           ('assigned', 'booked'), ('assigned', 'checked_in'), ('assigned', 'cancelled'), ('assigned', 'not_home'),
           ('assigned', 'no_show'), ('assigned', 'lapsed'),
           ('checked_in', 'checked_out'), ('checked_in', 'disputed'), ('checked_in', 'lapsed'),
           ('checked_out', 'confirmed'), ('checked_out', 'disputed'), ('checked_out', 'lapsed'),
           ('disputed', 'confirmed'), ('disputed', 'lapsed'))
       OR (NEW.provider_id, NEW.assigned_because) IS DISTINCT FROM (OLD.provider_id, OLD.assigned_because)
          AND (OLD.status, NEW.status) NOT IN (('booked', 'assigned'), ('assigned', 'booked'))
       OR NEW.status IN ('checked_in', 'checked_out', 'confirmed', 'disputed') AND NEW.checked_in_at IS NULL
       OR NEW.status IN ('checked_out', 'confirmed', 'disputed') AND NEW.checked_out_at IS NULL THEN
        RAISE EXCEPTION 'booking % does not go from % to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'TB001';
    END IF;
    IF NEW.status = 'assigned' AND OLD.status = 'booked'
       AND (NEW.only_township_code <> (SELECT o.township_code FROM organisation o WHERE o.id = NEW.provider_id)
            OR EXISTS (SELECT FROM care_event e WHERE e.booking_id = NEW.id AND e.provider_id = NEW.provider_id
                         AND e.step = 'decline')) THEN
        RAISE EXCEPTION 'booking % cannot go to this provider', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER care_booking_guarded BEFORE INSERT OR UPDATE OR DELETE ON care_booking
    FOR EACH ROW EXECUTE FUNCTION care_guard_booking();
CREATE TRIGGER care_booking_stays BEFORE TRUNCATE ON care_booking
    FOR EACH STATEMENT EXECUTE FUNCTION care_refuse_change();

-- Who ends a booking has, by the end of the unit of work, taken exactly what it says and let everything else go.
CREATE FUNCTION care_check_ended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    paid bigint;
    charged bigint;
BEGIN
    SELECT coalesce(sum(t.amount), 0) INTO paid FROM ledger_transfer t
    WHERE t.cause_id = NEW.id AND t.kind = 'care_use' AND (t.link_id IS NULL OR t.link_id = t.id);
    SELECT coalesce(sum(c.minutes), 0) INTO charged FROM care_charge c
    WHERE c.booking_id = NEW.id AND c.kind <> 'correction';
    IF paid <> NEW.captured_minutes + NEW.excess_minutes OR charged <> paid
       OR EXISTS (SELECT FROM ledger_hold h WHERE h.cause_id = NEW.id AND h.state = 'placed') THEN
        RAISE EXCEPTION 'booking % ended with % minutes captured, but % paid and % charged, or something still held',
            NEW.id, NEW.captured_minutes + NEW.excess_minutes, paid, charged USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER care_booking_ended AFTER UPDATE OF ended_at ON care_booking
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION care_check_ended();

CREATE TRIGGER care_event_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON care_event
    FOR EACH STATEMENT EXECUTE FUNCTION care_refuse_change();

-- A charge is taken up by one bill of its provider, once; nothing else of it changes.
CREATE FUNCTION care_guard_charge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.bill_id IS NOT NULL
           OR NOT EXISTS (SELECT FROM care_booking b WHERE b.id = NEW.booking_id AND b.provider_id = NEW.provider_id)
           OR NEW.minutes + (SELECT coalesce(sum(c.minutes), 0) FROM care_charge c WHERE c.booking_id = NEW.booking_id)
              < 0 THEN
            RAISE EXCEPTION 'a charge is of the provider that came, and takes back no more than was charged'
                USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.bill_id IS NOT NULL
       OR (NEW.id, NEW.booking_id, NEW.provider_id, NEW.kind, NEW.minutes, NEW.fen, NEW.fen_per_hour, NEW.grade,
           NEW.reversal_id, NEW.charged_at)
          IS DISTINCT FROM
          (OLD.id, OLD.booking_id, OLD.provider_id, OLD.kind, OLD.minutes, OLD.fen, OLD.fen_per_hour, OLD.grade,
           OLD.reversal_id, OLD.charged_at)
       OR NEW.bill_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM care_bill b WHERE b.id = NEW.bill_id AND b.provider_id = NEW.provider_id) THEN
        RAISE EXCEPTION 'charge % goes onto one bill of its provider, and never changes', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER care_charge_guarded BEFORE INSERT OR UPDATE OR DELETE ON care_charge
    FOR EACH ROW EXECUTE FUNCTION care_guard_charge();
CREATE TRIGGER care_charge_stays BEFORE TRUNCATE ON care_charge
    FOR EACH STATEMENT EXECUTE FUNCTION care_refuse_change();
CREATE TRIGGER care_bill_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON care_bill
    FOR EACH STATEMENT EXECUTE FUNCTION care_refuse_change();

-- By the end of the unit of work a bill says what its lines make together; so none joins it later.
CREATE FUNCTION care_check_bill(bill uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM care_bill b
    CROSS JOIN LATERAL (SELECT count(*) AS lines, coalesce(sum(minutes), 0) AS minutes, coalesce(sum(fen), 0) AS fen
                        FROM care_charge c WHERE c.bill_id = b.id) c
    WHERE b.id = bill AND (b.lines, b.minutes, b.fen) IS DISTINCT FROM (c.lines, c.minutes, c.fen);
    IF FOUND THEN
        RAISE EXCEPTION 'bill % does not say what its lines make together', bill USING ERRCODE = 'TB001';
    END IF;
END $$;

CREATE FUNCTION care_check_new_bill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM care_check_bill(NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION care_check_billed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM care_check_bill(NEW.bill_id);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER care_bill_whole AFTER INSERT ON care_bill
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION care_check_new_bill();
CREATE CONSTRAINT TRIGGER care_charge_billed AFTER UPDATE OF bill_id ON care_charge
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.bill_id IS NOT NULL)
    EXECUTE FUNCTION care_check_billed();
