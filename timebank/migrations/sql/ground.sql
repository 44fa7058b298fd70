-- An audit entry is written once.
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are never changed or removed' USING ERRCODE = 'TB001';
END $$;

CREATE TRIGGER audit_entry_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();

-- A policy's value is never rewritten: it comes into force once, and its end is set once or moved earlier.
CREATE FUNCTION policy_guard_value() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE'
       OR (NEW.id, NEW.change_id, NEW.key, NEW.value) IS DISTINCT FROM (OLD.id, OLD.change_id, OLD.key, OLD.value)
       OR NEW.township_code IS DISTINCT FROM OLD.township_code
       OR (OLD.valid_from IS NOT NULL AND NEW.valid_from IS DISTINCT FROM OLD.valid_from)
       OR (OLD.valid_to IS NOT NULL AND (NEW.valid_to IS NULL OR NEW.valid_to > OLD.valid_to)) THEN
        RAISE EXCEPTION 'policy values are never rewritten' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER policy_value_guarded BEFORE UPDATE OR DELETE ON policy_value
    FOR EACH ROW EXECUTE FUNCTION policy_guard_value();
