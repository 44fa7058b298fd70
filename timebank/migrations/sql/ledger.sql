-- What the ledger's tables promise beyond their columns. Raised with ERRCODE 'TB001', so that it can be told apart.

-- History is written once.
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'TB001';
END $$;

CREATE TRIGGER ledger_transfer_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_seal_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_seal_handout_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal_handout
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_checkpoint_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_book_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_book
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_account_stays BEFORE DELETE OR TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_hold_stays BEFORE DELETE OR TRUNCATE ON ledger_hold
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- An account is opened empty; its identity never changes, and its balance only through transfers and holds.
CREATE FUNCTION ledger_guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER ledger_account_guarded BEFORE INSERT OR UPDATE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_account();

CREATE TRIGGER ledger_transfer_applied AFTER INSERT ON ledger_transfer
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_transfers();

-- A hold sets aside when it is placed and gives back when it ends, once.
CREATE FUNCTION ledger_apply_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'placed' THEN
            RAISE EXCEPTION 'a hold begins as placed' USING ERRCODE = 'TB001';
        END IF;
        UPDATE ledger_account SET held = held + NEW.amount WHERE id = NEW.account_id;
        RETURN NULL;
    END IF;
    IF OLD.state <> 'placed' OR NEW.state = 'placed'
       OR (NEW.id, NEW.account_id, NEW.amount, NEW.cause_kind, NEW.cause_id, NEW.placed_at, NEW.expires_at)
          IS DISTINCT FROM
          (OLD.id, OLD.account_id, OLD.amount, OLD.cause_kind, OLD.cause_id, OLD.placed_at, OLD.expires_at) THEN
        RAISE EXCEPTION 'hold % ends once and changes nothing else', OLD.id USING ERRCODE = 'TB001';
    END IF;
    UPDATE ledger_account SET held = held - OLD.amount WHERE id = OLD.account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_hold_applied AFTER INSERT OR UPDATE ON ledger_hold
    FOR EACH ROW EXECUTE FUNCTION ledger_apply_hold();
