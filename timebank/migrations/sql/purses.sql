-- What the tables of cash at counters and of corrections promise beyond their columns. Raised with ERRCODE 'TB001'.

CREATE TRIGGER purse_slip_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON purse_slip
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER till_hand_in_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON till_hand_in
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER purse_estate_stays BEFORE DELETE OR TRUNCATE ON purse_estate
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER meal_correction_stays BEFORE DELETE OR TRUNCATE ON meal_correction
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- A correction is asked for, then approved once; who asked, and why, never changes.
CREATE FUNCTION meal_guard_correction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.approved_by IS NOT NULL THEN
            RAISE EXCEPTION 'a correction is asked for before it is approved' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.approved_by IS NOT NULL
       OR (NEW.order_id, NEW.reason, NEW.requested_by, NEW.requested_by_name, NEW.requested_at)
          IS DISTINCT FROM (OLD.order_id, OLD.reason, OLD.requested_by, OLD.requested_by_name, OLD.requested_at) THEN
        RAISE EXCEPTION 'the correction of meal % is approved once and changes nothing else', OLD.order_id
            USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER meal_correction_guarded BEFORE INSERT OR UPDATE ON meal_correction
    FOR EACH ROW EXECUTE FUNCTION meal_guard_correction();

-- What the dead have left is asked for, then paid once or taken back; who asked, for whom, and why, never changes.
CREATE FUNCTION meal_guard_estate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF num_nulls(NEW.approved_at, NEW.withdrawn_at) <> 2 THEN
            RAISE EXCEPTION 'what the dead have left is asked for before it is paid' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF num_nulls(OLD.approved_at, OLD.withdrawn_at) <> 2
       OR (NEW.id, NEW.person_id, NEW.receiver_name, NEW.evidence, NEW.requested_at, NEW.requested_by,
           NEW.requested_by_name)
          IS DISTINCT FROM (OLD.id, OLD.person_id, OLD.receiver_name, OLD.evidence, OLD.requested_at,
                            OLD.requested_by, OLD.requested_by_name) THEN
        RAISE EXCEPTION 'estate % is paid once, as it was asked for', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER purse_estate_guarded BEFORE INSERT OR UPDATE ON purse_estate
    FOR EACH ROW EXECUTE FUNCTION meal_guard_estate();

-- A receipt's number brings money in once in each table that names one; an entry that was reversed frees its number.
-- Whoever enters the same number at the same time waits, and is then refused.
CREATE FUNCTION meal_reference_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(TG_TABLE_NAME || ' ' || NEW.reference, 0));
    EXECUTE format('SELECT EXISTS (SELECT FROM %I g WHERE g.reference = $1 AND NOT EXISTS
                    (SELECT FROM ledger_transfer r WHERE r.reverses_id = g.transfer_id))', TG_TABLE_NAME)
    INTO taken USING NEW.reference;
    IF taken THEN
        RAISE EXCEPTION 'reference % has been entered before', NEW.reference USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER till_hand_in_reference_once BEFORE INSERT ON till_hand_in
    FOR EACH ROW EXECUTE FUNCTION meal_reference_once();
