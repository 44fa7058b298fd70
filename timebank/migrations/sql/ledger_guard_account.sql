-- What an account is never changes, whose canteen it is included.
CREATE OR REPLACE FUNCTION ledger_guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.posted <> 0 OR NEW.held <> 0 OR NEW.version <> 0 OR NEW.last_recorded_at IS NOT NULL THEN
            RAISE EXCEPTION 'an account is opened empty' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.book_code, NEW.unit, NEW.kind, NEW.floored, NEW.opened_at)
           IS DISTINCT FROM (OLD.id, OLD.book_code, OLD.unit, OLD.kind, OLD.floored, OLD.opened_at)
       OR NEW.person_id IS DISTINCT FROM OLD.person_id
       OR NEW.organisation_id IS DISTINCT FROM OLD.organisation_id
       OR NEW.expires_on IS DISTINCT FROM OLD.expires_on
       OR (OLD.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at) THEN
        RAISE EXCEPTION 'what account % is never changes', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF pg_trigger_depth() < 2
       AND (NEW.posted, NEW.held, NEW.version) IS DISTINCT FROM (OLD.posted, OLD.held, OLD.version)
       OR pg_trigger_depth() < 2 AND NEW.last_recorded_at IS DISTINCT FROM OLD.last_recorded_at THEN
        RAISE EXCEPTION 'the balance of account % changes only through transfers and holds', OLD.id
            USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;
