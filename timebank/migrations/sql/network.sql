-- What the tables of canteens promise beyond their columns. Raised with ERRCODE 'TB001'.

CREATE TRIGGER canteen_stays BEFORE DELETE OR TRUNCATE ON canteen
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER canteen_acceptance_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON canteen_acceptance
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER canteen_closed_day_immutable BEFORE UPDATE OR TRUNCATE ON canteen_closed_day
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER canteen_grade_stays BEFORE DELETE OR TRUNCATE ON canteen_grade
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- A canteen begins as an application, gets its number on an acceptance that it passed, and is history once closed.
CREATE FUNCTION canteen_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'applied' THEN
            RAISE EXCEPTION 'a canteen begins as an application' USING ERRCODE = 'TB001';
        END IF;
        IF NOT EXISTS (SELECT FROM organisation WHERE id = NEW.id AND kind = 'canteen') THEN
            RAISE EXCEPTION 'organisation % is no canteen', NEW.id USING ERRCODE = 'TB001';
        END IF;
    ELSE
        IF (NEW.id, NEW.applied_at, NEW.applied_by, NEW.applied_by_name, NEW.canteen_type)
               IS DISTINCT FROM (OLD.id, OLD.applied_at, OLD.applied_by, OLD.applied_by_name, OLD.canteen_type)
           OR OLD.number IS NOT NULL
              AND (NEW.number, NEW.accepted_at) IS DISTINCT FROM (OLD.number, OLD.accepted_at) THEN
            RAISE EXCEPTION 'what canteen % is never changes', OLD.id USING ERRCODE = 'TB001';
        END IF;
        IF OLD.state = 'closed' THEN
            RAISE EXCEPTION 'canteen % is closed for good', OLD.id USING ERRCODE = 'TB001';
        END IF;
        IF NEW.state <> OLD.state AND NEW.state <> 'closed'
           AND (OLD.state, NEW.state) NOT IN (('applied', 'accepted'), ('applied', 'refused'), ('refused', 'accepted'),
                ('accepted', 'open'), ('open', 'suspended'), ('suspended', 'open')) THEN
            RAISE EXCEPTION 'a canteen does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'TB001';
        END IF;
        IF OLD.number IS NULL AND NEW.number IS NOT NULL THEN
            IF NOT EXISTS (SELECT FROM canteen_acceptance WHERE canteen_id = NEW.id AND passed) THEN
                RAISE EXCEPTION 'canteen % was not accepted on site', NEW.id USING ERRCODE = 'TB001';
            END IF;
            IF left(NEW.number, 10) IS DISTINCT FROM
                   (SELECT township_code || '-' FROM organisation WHERE id = NEW.id) THEN
                RAISE EXCEPTION 'number % is of another township', NEW.number USING ERRCODE = 'TB001';
            END IF;
        END IF;
    END IF;
    IF NEW.kitchen_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.kitchen_id IS DISTINCT FROM OLD.kitchen_id) THEN
        -- Locked, so that the kitchen gets no kitchen of its own before this is committed.
        PERFORM FROM canteen WHERE id = NEW.kitchen_id FOR SHARE;
        IF EXISTS (SELECT FROM canteen WHERE id = NEW.kitchen_id AND kitchen_id IS NOT NULL)
           OR EXISTS (SELECT FROM canteen WHERE kitchen_id = NEW.id) THEN
            RAISE EXCEPTION 'who cooks for canteens is served by none' USING ERRCODE = 'TB001';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER canteen_guarded BEFORE INSERT OR UPDATE ON canteen
    FOR EACH ROW EXECUTE FUNCTION canteen_guard();

-- A grade is proposed first, and stays what it is once it is approved.
CREATE FUNCTION canteen_guard_grade() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.approved_at IS NOT NULL THEN
            RAISE EXCEPTION 'a grade is proposed before it is approved' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.approved_at IS NOT NULL OR (NEW.canteen_id, NEW.year) IS DISTINCT FROM (OLD.canteen_id, OLD.year) THEN
        RAISE EXCEPTION 'the grade of % in % is settled', OLD.canteen_id, OLD.year USING ERRCODE = 'TB001';
    END IF;
    IF NEW.approved_at IS NOT NULL
       AND (NEW.grade, NEW.subsidy_fen, NEW.policy_version, NEW.proposed_by, NEW.proposed_at)
           IS DISTINCT FROM (OLD.grade, OLD.subsidy_fen, OLD.policy_version, OLD.proposed_by, OLD.proposed_at) THEN
        RAISE EXCEPTION 'approved is what was proposed' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER canteen_grade_guarded BEFORE INSERT OR UPDATE ON canteen_grade
    FOR EACH ROW EXECUTE FUNCTION canteen_guard_grade();
