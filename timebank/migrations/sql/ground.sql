-- An audit entry is written once.
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are never changed or removed' USING ERRCODE = 'TB001';
END $$;

CREATE TRIGGER audit_entry_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

-- A policy's value is never rewritten: it comes into force once, with its change approved, and its end is set once or
-- moved earlier.
CREATE FUNCTION policy_guard_value() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.valid_from IS NOT NULL OR NEW.valid_to IS NOT NULL THEN
            RAISE EXCEPTION 'a policy value comes into force by approval' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP <> 'UPDATE'
       OR (NEW.id, NEW.change_id, NEW.key, NEW.value) IS DISTINCT FROM (OLD.id, OLD.change_id, OLD.key, OLD.value)
       OR NEW.township_code IS DISTINCT FROM OLD.township_code
       OR (OLD.valid_from IS NOT NULL AND NEW.valid_from IS DISTINCT FROM OLD.valid_from)
       OR (OLD.valid_from IS NULL AND NEW.valid_from IS NOT NULL
           AND NOT EXISTS (SELECT FROM policy_change c
                           WHERE c.id = NEW.change_id AND c.approved_at IS NOT NULL AND c.effective_at = NEW.valid_from))
       OR (OLD.valid_to IS NOT NULL AND (NEW.valid_to IS NULL OR NEW.valid_to > OLD.valid_to)) THEN
        RAISE EXCEPTION 'policy values are never rewritten' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER policy_value_guarded BEFORE INSERT OR UPDATE OR DELETE ON policy_value
    FOR EACH ROW EXECUTE FUNCTION policy_guard_value();

-- A change says what it said when it was proposed; an approval is given once.
CREATE FUNCTION policy_guard_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE'
       OR (NEW.id, NEW.effective_at, NEW.reason, NEW.source, NEW.proposed_by, NEW.proposed_by_name, NEW.proposed_at)
          IS DISTINCT FROM
          (OLD.id, OLD.effective_at, OLD.reason, OLD.source, OLD.proposed_by, OLD.proposed_by_name, OLD.proposed_at)
       OR OLD.approved_at IS NOT NULL THEN
        RAISE EXCEPTION 'policy changes are never rewritten' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER policy_change_guarded BEFORE UPDATE OR DELETE ON policy_change
    FOR EACH ROW EXECUTE FUNCTION policy_guard_change();

CREATE FUNCTION policy_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'policies are never removed' USING ERRCODE = 'TB001';
END $$;

CREATE TRIGGER policy_value_stays BEFORE TRUNCATE ON policy_value
    FOR EACH STATEMENT EXECUTE FUNCTION policy_refuse_truncate();
CREATE TRIGGER policy_change_stays BEFORE TRUNCATE ON policy_change
    FOR EACH STATEMENT EXECUTE FUNCTION policy_refuse_truncate();
