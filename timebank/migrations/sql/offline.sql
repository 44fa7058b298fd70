-- What the tables of signed vouchers promise beyond their columns. Raised with ERRCODE 'TB001', as the ledger's.

-- Every voucher that ends before the day printed on it goes on the counters' list, whatever ended it.
CREATE FUNCTION voucher_note_ending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO voucher_ending (voucher_id, code_hash, printed_until, ended_at)
    VALUES (OLD.id, substring(sha256(convert_to(OLD.code, 'UTF8')) FOR 8), OLD.expires_at, NEW.ended_at);
    RETURN NULL;
END $$;

CREATE TRIGGER voucher_ending_noted AFTER UPDATE ON voucher
    FOR EACH ROW
    WHEN (OLD.status = 'issued' AND NEW.status <> 'issued' AND NEW.ended_at < OLD.expires_at)
    EXECUTE FUNCTION voucher_note_ending();

INSERT INTO voucher_ending (voucher_id, code_hash, printed_until, ended_at)
SELECT id, substring(sha256(convert_to(code, 'UTF8')) FOR 8), expires_at, ended_at
FROM voucher WHERE status <> 'issued' AND ended_at < expires_at ORDER BY id;

-- An ending is noted without a number, gets it once, and is otherwise as it was.
CREATE FUNCTION voucher_guard_ending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.number IS NOT NULL
       OR TG_OP = 'UPDATE' AND (OLD.number IS NOT NULL
          OR (NEW.id, NEW.voucher_id, NEW.code_hash, NEW.printed_until, NEW.ended_at)
             IS DISTINCT FROM (OLD.id, OLD.voucher_id, OLD.code_hash, OLD.printed_until, OLD.ended_at)) THEN
        RAISE EXCEPTION 'the ending of a voucher is numbered once and never changed' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER voucher_ending_guarded BEFORE INSERT OR UPDATE ON voucher_ending
    FOR EACH ROW EXECUTE FUNCTION voucher_guard_ending();

-- A key is made to sign, and all that can happen to it is to be revoked, once.
CREATE FUNCTION redemption_guard_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.revoked_at IS NOT NULL
       OR TG_OP = 'UPDATE' AND (OLD.revoked_at IS NOT NULL
          OR (NEW.id, NEW.public_key, NEW.private_key, NEW.made_at, NEW.signs_from, NEW.signs_until)
             IS DISTINCT FROM
             (OLD.id, OLD.public_key, OLD.private_key, OLD.made_at, OLD.signs_from, OLD.signs_until)) THEN
        RAISE EXCEPTION 'a signing key is revoked once and never changed' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER redemption_signing_key_guarded BEFORE INSERT OR UPDATE ON redemption_signing_key
    FOR EACH ROW EXECUTE FUNCTION redemption_guard_key();

-- A loss is of a meal scanned without a line, which was refused for the voucher; of two meals the other one used it.
CREATE FUNCTION guarantee_guard_loss() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM voucher_scan s
        WHERE s.id = NEW.second_scan_id AND s.offline AND s.signed_text IS NOT NULL AND NOT s.accepted
          AND (s.voucher_id, s.canteen_id) = (NEW.voucher_id, NEW.canteen_id)
          AND (NEW.first_scan_id IS NULL
               OR EXISTS (SELECT FROM voucher_scan f
                          WHERE f.id = NEW.first_scan_id AND f.voucher_id = NEW.voucher_id AND f.accepted
                            AND f.canteen_id <> NEW.canteen_id));
        IF NOT FOUND OR NEW.paid_at IS NOT NULL THEN
            RAISE EXCEPTION 'a loss is of an honest scan without a line, and unpaid' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.paid_at IS NOT NULL OR NEW.paid_at IS NULL
       OR NEW.loss_fen IS DISTINCT FROM OLD.loss_fen AND OLD.loss_fen IS NOT NULL
       OR (NEW.id, NEW.reason, NEW.voucher_id, NEW.canteen_id, NEW.township_code, NEW.minutes, NEW.first_scan_id,
           NEW.second_scan_id, NEW.eaten_at, NEW.noted_at, NEW.policy_version)
          IS DISTINCT FROM
          (OLD.id, OLD.reason, OLD.voucher_id, OLD.canteen_id, OLD.township_code, OLD.minutes, OLD.first_scan_id,
           OLD.second_scan_id, OLD.eaten_at, OLD.noted_at, OLD.policy_version) THEN
        RAISE EXCEPTION 'a loss is paid once and never changed' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guarantee_loss_guarded BEFORE INSERT OR UPDATE ON guarantee_loss
    FOR EACH ROW EXECUTE FUNCTION guarantee_guard_loss();

-- When all is said and done a loss has its movement: the township issues the minutes that the meal was worth.
CREATE FUNCTION guarantee_check_loss() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM ledger_transfer t
    JOIN ledger_account i ON i.id = t.from_account_id
    JOIN ledger_account r ON r.id = t.to_account_id
    WHERE t.cause_id = NEW.id AND t.kind = 'offline_loss' AND t.unit = 'minute' AND t.amount = NEW.minutes
      AND t.book_code = NEW.township_code AND t.link_id IS NULL
      AND (i.kind, r.kind) = ('issuance', 'redeemed')
    HAVING count(*) = 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'loss % has no movement of its own', NEW.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER guarantee_loss_whole AFTER INSERT ON guarantee_loss
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guarantee_check_loss();

CREATE FUNCTION redemption_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'TB001';
END $$;

CREATE TRIGGER voucher_scan_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON voucher_scan
    FOR EACH STATEMENT EXECUTE FUNCTION redemption_refuse_change();
CREATE TRIGGER voucher_ending_stays BEFORE DELETE OR TRUNCATE ON voucher_ending
    FOR EACH STATEMENT EXECUTE FUNCTION redemption_refuse_change();
CREATE TRIGGER redemption_signing_key_stays BEFORE DELETE OR TRUNCATE ON redemption_signing_key
    FOR EACH STATEMENT EXECUTE FUNCTION redemption_refuse_change();
CREATE TRIGGER guarantee_loss_stays BEFORE DELETE OR TRUNCATE ON guarantee_loss
    FOR EACH STATEMENT EXECUTE FUNCTION redemption_refuse_change();
