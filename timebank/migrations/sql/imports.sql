-- What the tables of imports promise beyond their columns. Raised with ERRCODE 'TB001'.

-- What was booked stays as it was shown; of all its columns only the file may be forgotten.
CREATE FUNCTION office_import_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'booked' AND (
        TG_OP = 'DELETE'
        OR NEW.content IS NOT NULL
        OR to_jsonb(NEW) - 'content' <> to_jsonb(OLD) - 'content'
    ) THEN
        RAISE EXCEPTION 'import % was booked and does not change', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER office_import_guarded BEFORE UPDATE OR DELETE ON office_import
    FOR EACH ROW EXECUTE FUNCTION office_import_guard();

CREATE FUNCTION office_import_guard_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM changed JOIN office_import ON office_import.id = changed.import_id
        WHERE office_import.state = 'booked'
    ) THEN
        RAISE EXCEPTION 'the rows of an import that was booked do not change' USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER office_import_row_added AFTER INSERT ON office_import_row
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION office_import_guard_rows();
CREATE TRIGGER office_import_row_removed AFTER DELETE ON office_import_row
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION office_import_guard_rows();
CREATE TRIGGER office_import_row_kept BEFORE UPDATE OR TRUNCATE ON office_import_row
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER office_import_kept BEFORE TRUNCATE ON office_import
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
