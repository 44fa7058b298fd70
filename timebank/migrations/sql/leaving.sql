-- What the tables of leaving promise beyond their columns. Raised with ERRCODE 'TB001', as the ledger's.
CREATE FUNCTION leaving_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a leaving is never changed or removed' USING ERRCODE = 'TB001';
END $$;

CREATE TRIGGER leaving_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON leaving
    FOR EACH STATEMENT EXECUTE FUNCTION leaving_refuse_change();
CREATE TRIGGER leaving_late_minutes_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON leaving_late_minutes
    FOR EACH STATEMENT EXECUTE FUNCTION leaving_refuse_change();

-- A report begins unanswered. What it says never changes; it is approved once, then a second time, or declined, and
-- each of these steps is taken once.
CREATE FUNCTION leaving_guard_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF num_nulls(NEW.first_approved_at, NEW.second_approved_at, NEW.declined_at) <> 3 THEN
            RAISE EXCEPTION 'a report of a death begins unanswered' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.second_approved_at IS NOT NULL OR OLD.declined_at IS NOT NULL
       OR (NEW.id, NEW.person_id, NEW.township_code, NEW.died_on, NEW.evidence, NEW.reported_at, NEW.reported_by,
           NEW.reported_by_name)
          IS DISTINCT FROM
          (OLD.id, OLD.person_id, OLD.township_code, OLD.died_on, OLD.evidence, OLD.reported_at, OLD.reported_by,
           OLD.reported_by_name)
       OR (OLD.first_approved_at IS NOT NULL
           AND (NEW.first_approved_at, NEW.first_approved_by, NEW.first_approved_by_name)
               IS DISTINCT FROM (OLD.first_approved_at, OLD.first_approved_by, OLD.first_approved_by_name))
       OR (OLD.first_approved_at IS NULL AND NEW.second_approved_at IS NOT NULL) THEN
        RAISE EXCEPTION 'report % of a death is answered step by step, each once', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER death_report_guarded BEFORE INSERT OR UPDATE OR DELETE ON death_report
    FOR EACH ROW EXECUTE FUNCTION leaving_guard_report();
CREATE TRIGGER death_report_stays BEFORE TRUNCATE ON death_report
    FOR EACH STATEMENT EXECUTE FUNCTION leaving_refuse_change();
