-- What the tables of rehabilitation aids promise beyond their columns. Raised with ERRCODE 'TB001'.

CREATE TRIGGER aid_item_stays BEFORE DELETE OR TRUNCATE ON aid_item
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER aid_item_event_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON aid_item_event
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER aid_loan_stays BEFORE DELETE OR TRUNCATE ON aid_loan
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER aid_loan_day_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON aid_loan_day
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER aid_charge_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON aid_charge
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER aid_reminder_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON aid_reminder
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- An item stays what it is, is taken out of use only while nobody has it, and never comes back once it is retired.
CREATE FUNCTION aid_guard_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.serial, NEW.kind, NEW.home_township_code, NEW.acquired_on, NEW.entered_at)
           IS DISTINCT FROM (OLD.id, OLD.serial, OLD.kind, OLD.home_township_code, OLD.acquired_on, OLD.entered_at) THEN
        RAISE EXCEPTION 'what aid % is never changes', OLD.serial USING ERRCODE = 'TB001';
    END IF;
    IF OLD.condition = 'retired' THEN
        RAISE EXCEPTION 'aid % is retired for good', OLD.serial USING ERRCODE = 'TB001';
    END IF;
    IF NEW.condition IN ('in_repair', 'retired')
       AND EXISTS (SELECT FROM aid_loan WHERE item_id = NEW.id AND status IN ('reserved', 'lent')) THEN
        RAISE EXCEPTION 'aid % is reserved or lent', OLD.serial USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER aid_item_guarded BEFORE UPDATE ON aid_item
    FOR EACH ROW EXECUTE FUNCTION aid_guard_item();

-- A loan begins as a reservation, goes on step by step, and is history once it has ended.
CREATE FUNCTION aid_guard_loan() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    item_condition text;
    used bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'reserved' THEN
            RAISE EXCEPTION 'a loan begins as a reservation' USING ERRCODE = 'TB001';
        END IF;
    ELSE
        IF OLD.ended_at IS NOT NULL THEN
            RAISE EXCEPTION 'loan % has ended', OLD.id USING ERRCODE = 'TB001';
        END IF;
        IF (NEW.id, NEW.item_id, NEW.holder_id, NEW.price_minutes, NEW.policy_version, NEW.code, NEW.reserved_at)
               IS DISTINCT FROM
               (OLD.id, OLD.item_id, OLD.holder_id, OLD.price_minutes, OLD.policy_version, OLD.code, OLD.reserved_at)
           OR (NEW.reserved_by, NEW.reserved_by_name, NEW.reserved_until, NEW.proxy_id, NEW.evidence)
               IS DISTINCT FROM
               (OLD.reserved_by, OLD.reserved_by_name, OLD.reserved_until, OLD.proxy_id, OLD.evidence)
           OR (OLD.lent_at IS NOT NULL AND (NEW.lent_at, NEW.lent_on, NEW.lent_by, NEW.lent_by_name)
               IS DISTINCT FROM (OLD.lent_at, OLD.lent_on, OLD.lent_by, OLD.lent_by_name))
           OR NEW.days < OLD.days THEN
            RAISE EXCEPTION 'what was agreed in loan % never changes', OLD.id USING ERRCODE = 'TB001';
        END IF;
        IF (OLD.status, NEW.status) NOT IN (('reserved', 'reserved'), ('reserved', 'lent'), ('reserved', 'cancelled'),
                ('reserved', 'lapsed'), ('lent', 'lent'), ('lent', 'returned'), ('lent', 'lost')) THEN
            RAISE EXCEPTION 'a loan does not go from % to %', OLD.status, NEW.status USING ERRCODE = 'TB001';
        END IF;
    END IF;
    IF NEW.status IN ('reserved', 'lent') THEN
        -- Locked, so that nobody takes the item out of use before this is committed.
        SELECT condition INTO item_condition FROM aid_item WHERE id = NEW.item_id FOR SHARE;
        IF item_condition IN ('in_repair', 'retired') THEN
            RAISE EXCEPTION 'an aid that is % cannot be lent', item_condition USING ERRCODE = 'TB001';
        END IF;
    END IF;
    IF NEW.status IN ('returned', 'lost') THEN
        SELECT coalesce(max(number), 0) INTO used FROM aid_charge WHERE loan_id = NEW.id;
        IF used <> (NEW.ended_at AT TIME ZONE 'Asia/Shanghai')::date - NEW.lent_on + 1 THEN
            RAISE EXCEPTION 'loan % ends with % days charged', NEW.id, used USING ERRCODE = 'TB001';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER aid_loan_guarded BEFORE INSERT OR UPDATE ON aid_loan
    FOR EACH ROW EXECUTE FUNCTION aid_guard_loan();

-- Days are promised within the loan, one after another, while it has not ended.
CREATE FUNCTION aid_guard_loan_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM aid_loan
                   WHERE id = NEW.loan_id AND status IN ('reserved', 'lent') AND NEW.number <= days)
       OR NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM aid_loan_day WHERE loan_id = NEW.loan_id) THEN
        RAISE EXCEPTION 'day % is no day to be promised in loan %', NEW.number, NEW.loan_id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER aid_loan_day_guarded BEFORE INSERT ON aid_loan_day
    FOR EACH ROW EXECUTE FUNCTION aid_guard_loan_day();

-- Days of use are charged in order, none left out, each under the calendar day that it is.
CREATE FUNCTION aid_guard_charge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM aid_loan
                   WHERE id = NEW.loan_id AND status = 'lent' AND NEW.day = lent_on + (NEW.number - 1)::integer)
       OR NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM aid_charge WHERE loan_id = NEW.loan_id) THEN
        RAISE EXCEPTION 'day % (%) of loan % cannot be charged', NEW.number, NEW.day, NEW.loan_id
            USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER aid_charge_guarded BEFORE INSERT ON aid_charge
    FOR EACH ROW EXECUTE FUNCTION aid_guard_charge();
