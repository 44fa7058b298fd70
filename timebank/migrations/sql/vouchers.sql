-- What the table of vouchers promises beyond its columns. Raised with ERRCODE 'TB001', as the ledger's.

-- A voucher is issued with what it promises, which never changes; it ends once, and what has ended stays as it is.
CREATE FUNCTION voucher_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'issued' OR NEW.reminded_at IS NOT NULL AND NEW.replaces_id IS NULL THEN
            RAISE EXCEPTION 'a voucher begins unused' USING ERRCODE = 'TB001';
        END IF;
        IF NEW.replaces_id IS NOT NULL THEN
            PERFORM voucher_check_replacement(NEW);
        ELSIF NEW.origin_id <> NEW.id THEN
            RAISE EXCEPTION 'a voucher that was bought is its own origin' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.status <> 'issued'
       OR (NEW.id, NEW.code, NEW.holder_id, NEW.account_id, NEW.source_account_id, NEW.price_minutes,
           NEW.policy_version, NEW.issued_at, NEW.issued_by, NEW.issued_by_name, NEW.issue_evidence, NEW.expires_at,
           NEW.only_township_code, NEW.weekdays, NEW.meals, NEW.on_expiry, NEW.origin_id, NEW.replaces_id)
          IS DISTINCT FROM
          (OLD.id, OLD.code, OLD.holder_id, OLD.account_id, OLD.source_account_id, OLD.price_minutes,
           OLD.policy_version, OLD.issued_at, OLD.issued_by, OLD.issued_by_name, OLD.issue_evidence, OLD.expires_at,
           OLD.only_township_code, OLD.weekdays, OLD.meals, OLD.on_expiry, OLD.origin_id, OLD.replaces_id)
       OR OLD.reminded_at IS NOT NULL AND NEW.reminded_at IS DISTINCT FROM OLD.reminded_at THEN
        RAISE EXCEPTION 'voucher % ends once, and what it promises never changes', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF NEW.replaced_by_id IS NOT NULL THEN
        PERFORM FROM voucher n
        WHERE n.id = NEW.replaced_by_id AND n.replaces_id = NEW.id
          AND (NEW.void_reason = 'given') = (n.origin_id = n.id);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'voucher % is replaced by the one that replaces it', OLD.id USING ERRCODE = 'TB001';
        END IF;
    END IF;
    RETURN NEW;
END $$;

-- A new card for a lost one is good for the same holder's same minutes, up to the same moment, at the same meals; one
-- that was given is another's, good as long.
CREATE FUNCTION voucher_check_replacement(n voucher) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM voucher o
    WHERE o.id = n.replaces_id AND o.status = 'issued'
      AND (n.price_minutes, n.expires_at, n.only_township_code, n.weekdays, n.meals, n.on_expiry)
          IS NOT DISTINCT FROM
          (o.price_minutes, o.expires_at, o.only_township_code, o.weekdays, o.meals, o.on_expiry)
      AND CASE WHEN n.origin_id = n.id THEN n.holder_id <> o.holder_id
               ELSE (n.holder_id, n.account_id, n.origin_id) = (o.holder_id, o.account_id, o.origin_id) END;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'voucher % cannot replace %', n.id, n.replaces_id USING ERRCODE = 'TB001';
    END IF;
END $$;

-- By the end of the unit of work a voucher that is replaced is void: the same minutes are never printed on two cards
-- that are both good.
CREATE FUNCTION voucher_check_replaced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM voucher o WHERE o.id = NEW.replaces_id AND o.replaced_by_id = NEW.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'voucher % is still good beside %', NEW.replaces_id, NEW.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION voucher_refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'vouchers are never removed' USING ERRCODE = 'TB001';
END $$;

CREATE TRIGGER voucher_guarded BEFORE INSERT OR UPDATE OR DELETE ON voucher
    FOR EACH ROW EXECUTE FUNCTION voucher_guard();
CREATE TRIGGER voucher_stays BEFORE TRUNCATE ON voucher
    FOR EACH STATEMENT EXECUTE FUNCTION voucher_refuse_removal();
CREATE CONSTRAINT TRIGGER voucher_replaced AFTER INSERT ON voucher DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.replaces_id IS NOT NULL) EXECUTE FUNCTION voucher_check_replaced();
