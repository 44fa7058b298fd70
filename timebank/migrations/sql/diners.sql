-- What the tables of diners promise beyond their columns. Raised with ERRCODE 'TB001'.

CREATE TRIGGER diner_stays BEFORE DELETE OR TRUNCATE ON diner
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER diner_category_stays BEFORE DELETE OR TRUNCATE ON diner_category
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- A file is opened by an application or an approval, goes on step by step, and what was decided stays as it was said.
CREATE FUNCTION diners_guard_diner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state NOT IN ('applied', 'approved') THEN
            RAISE EXCEPTION 'a diner begins by applying or being approved' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.person_id <> OLD.person_id THEN
        RAISE EXCEPTION 'the file of diner % stays theirs', OLD.person_id USING ERRCODE = 'TB001';
    END IF;
    IF NEW.state = OLD.state THEN
        IF (NEW.applied_at, NEW.applied_by, NEW.applied_by_name, NEW.proposed_categories, NEW.proposal_evidence)
               IS DISTINCT FROM
               (OLD.applied_at, OLD.applied_by, OLD.applied_by_name, OLD.proposed_categories, OLD.proposal_evidence)
           OR (NEW.reviewed_at, NEW.reviewed_by, NEW.reviewed_by_name, NEW.review_reason, NEW.ended_at)
               IS DISTINCT FROM
               (OLD.reviewed_at, OLD.reviewed_by, OLD.reviewed_by_name, OLD.review_reason, OLD.ended_at) THEN
            RAISE EXCEPTION 'what was decided about diner % never changes', OLD.person_id USING ERRCODE = 'TB001';
        END IF;
    ELSIF (OLD.state, NEW.state) NOT IN (('applied', 'approved'), ('applied', 'refused'), ('applied', 'ended'),
            ('refused', 'applied'), ('refused', 'approved'), ('refused', 'ended'), ('approved', 'ended'),
            ('ended', 'applied'), ('ended', 'approved')) THEN
        RAISE EXCEPTION 'a diner does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER diner_guarded BEFORE INSERT OR UPDATE ON diner
    FOR EACH ROW EXECUTE FUNCTION diners_guard_diner();

-- A category is decided once; it may be ended, once and sooner than was decided, or withdrawn as an error, once.
CREATE FUNCTION diners_guard_category() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.ended_at IS NOT NULL OR NEW.withdrawn_at IS NOT NULL THEN
            RAISE EXCEPTION 'a category begins neither ended nor withdrawn' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.person_id, NEW.category, NEW.evidence, NEW.decided_at, NEW.decided_by, NEW.decided_by_name)
           IS DISTINCT FROM
           (OLD.id, OLD.person_id, OLD.category, OLD.evidence, OLD.decided_at, OLD.decided_by, OLD.decided_by_name) THEN
        RAISE EXCEPTION 'what was decided in category % never changes', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF OLD.withdrawn_at IS NOT NULL THEN
        RAISE EXCEPTION 'category % was withdrawn', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.ended_by, NEW.ended_by_name, NEW.ended_reason)
           IS DISTINCT FROM (OLD.ended_at, OLD.ended_by, OLD.ended_by_name, OLD.ended_reason) THEN
        RAISE EXCEPTION 'category % has ended once', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL THEN
        IF lower(NEW.valid_during) <> lower(OLD.valid_during) OR NOT NEW.valid_during <@ OLD.valid_during
           OR upper_inf(NEW.valid_during) THEN
            RAISE EXCEPTION 'category % ends within the days it was decided for', OLD.id USING ERRCODE = 'TB001';
        END IF;
    ELSIF NEW.valid_during <> OLD.valid_during THEN
        RAISE EXCEPTION 'the days of category % never change', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER diner_category_guarded BEFORE INSERT OR UPDATE ON diner_category
    FOR EACH ROW EXECUTE FUNCTION diners_guard_category();
