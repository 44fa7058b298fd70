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

-- Every insert of transfers, however many rows it has, is checked as a set and carried to the accounts.
CREATE FUNCTION ledger_apply_transfers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad uuid;
    stale bigint;
BEGIN
    -- Both accounts exist, are open, and are of the transfer's book and unit; floored sides carry their version.
    SELECT t.id INTO bad
    FROM inserted t
    LEFT JOIN ledger_account f ON f.id = t.from_account_id
    LEFT JOIN ledger_account a ON a.id = t.to_account_id
    WHERE f.id IS NULL OR a.id IS NULL
       OR f.book_code <> t.book_code OR a.book_code <> t.book_code
       OR f.unit <> t.unit OR a.unit <> t.unit
       OR f.closed_at IS NOT NULL OR a.closed_at IS NOT NULL
       OR f.floored <> (t.from_version IS NOT NULL) OR a.floored <> (t.to_version IS NOT NULL)
       -- Clearing accounts are written by linked legs only, and a linked leg touches exactly one of them.
       OR (t.link_id IS NOT NULL) <> ((f.kind = 'clearing') <> (a.kind = 'clearing'))
       OR (f.kind = 'clearing' AND a.kind = 'clearing')
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transfer % does not fit its accounts', bad USING ERRCODE = 'TB001';
    END IF;

    -- Linked legs come in pairs: out of one book into its clearing, out of the other book's clearing into it.
    SELECT l.link_id INTO bad
    FROM (
        SELECT t.link_id, count(*) AS legs,
               count(*) FILTER (WHERE t.id = t.link_id AND a.kind = 'clearing') AS into_clearing,
               count(*) FILTER (WHERE t.id <> t.link_id AND f.kind = 'clearing') AS out_of_clearing,
               count(DISTINCT (t.amount, t.unit, t.kind, t.recorded_by, t.cause_id, t.effective_at, t.approved_by))
                   AS shapes,
               count(DISTINCT t.book_code) AS books,
               array_agg(t.book_code ORDER BY t.book_code) AS own,
               array_agg(t.counterpart_book_code ORDER BY t.counterpart_book_code) AS other
        FROM inserted t
        JOIN ledger_account f ON f.id = t.from_account_id
        JOIN ledger_account a ON a.id = t.to_account_id
        WHERE t.link_id IS NOT NULL
        GROUP BY t.link_id
    ) l
    WHERE l.legs <> 2 OR l.into_clearing <> 1 OR l.out_of_clearing <> 1 OR l.shapes <> 1 OR l.books <> 2
       OR l.own <> l.other
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'linked legs of % do not pair', bad USING ERRCODE = 'TB001';
    END IF;

    -- A reversal is the mirror of what it reverses, and is itself not reversed.
    SELECT t.id INTO bad
    FROM inserted t
    JOIN ledger_transfer r ON r.id = t.reverses_id
    WHERE r.from_account_id <> t.to_account_id OR r.to_account_id <> t.from_account_id
       OR r.amount <> t.amount OR r.reverses_id IS NOT NULL
       -- A movement between books is reversed whole: the other leg reverses the other leg.
       OR (t.link_id IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM inserted p JOIN ledger_transfer q ON q.id = p.reverses_id
               WHERE p.link_id = t.link_id AND p.id <> t.id AND q.link_id = r.link_id))
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transfer % does not mirror what it reverses', bad USING ERRCODE = 'TB001';
    END IF;

    -- Versions and balances of floored accounts go on without a gap from the account's row, and time does not run back.
    SELECT c.id INTO bad
    FROM (
        SELECT m.id, m.version, m.balance, m.recorded_at,
               a.version + row_number() OVER w AS next_version,
               a.posted + sum(m.delta) OVER w AS next_balance,
               lag(m.recorded_at, 1, a.last_recorded_at) OVER w AS recorded_before
        FROM (
            SELECT id, from_account_id AS account_id, from_version AS version, from_balance AS balance,
                   -amount AS delta, recorded_at
            FROM inserted WHERE from_version IS NOT NULL
            UNION ALL
            SELECT id, to_account_id, to_version, to_balance, amount, recorded_at
            FROM inserted WHERE to_version IS NOT NULL
        ) m
        JOIN ledger_account a ON a.id = m.account_id
        WINDOW w AS (PARTITION BY m.account_id ORDER BY m.version)
    ) c
    WHERE c.version <> c.next_version OR c.balance <> c.next_balance OR c.recorded_at < c.recorded_before
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transfer % does not follow its account''s last version', bad USING ERRCODE = 'TB001';
    END IF;

    -- Whoever wrote without locking the account may have been overtaken between the look above and this update:
    -- the row is then at another version, is left alone, and its account comes back as stale.
    WITH newest AS (
        SELECT DISTINCT ON (account_id) account_id, version, balance, recorded_at,
               version - count(*) OVER (PARTITION BY account_id) AS version_before
        FROM (
            SELECT from_account_id AS account_id, from_version AS version, from_balance AS balance, recorded_at
            FROM inserted WHERE from_version IS NOT NULL
            UNION ALL
            SELECT to_account_id, to_version, to_balance, recorded_at FROM inserted WHERE to_version IS NOT NULL
        ) m
        ORDER BY account_id, version DESC
    ), carried AS (
        UPDATE ledger_account a
        SET posted = n.balance, version = n.version, last_recorded_at = n.recorded_at
        FROM newest n
        WHERE a.id = n.account_id AND a.version = n.version_before
        RETURNING a.id
    )
    SELECT n.account_id INTO stale FROM newest n WHERE n.account_id NOT IN (SELECT id FROM carried) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'account % was moved by somebody else meanwhile', stale USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

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
