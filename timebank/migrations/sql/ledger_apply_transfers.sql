-- Every insert of transfers, however many rows it has, is checked as a set and carried to the accounts.
-- No LIMIT 1: nearly always there is no bad row, and a planner that expects to find one soon compares every account with
-- every row. Of several INTO takes the first.
CREATE OR REPLACE FUNCTION ledger_apply_transfers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad uuid;
    stale bigint;
BEGIN
    -- Both accounts exist and are of the transfer's book and unit; floored sides carry their version. A closed account
    -- is only passed through, for a reversal: that it is empty again afterwards is a check of the account.
    SELECT t.id INTO bad
    FROM inserted t
    LEFT JOIN ledger_account f ON f.id = t.from_account_id
    LEFT JOIN ledger_account a ON a.id = t.to_account_id
    WHERE f.id IS NULL OR a.id IS NULL
       OR f.book_code <> t.book_code OR a.book_code <> t.book_code
       OR f.unit <> t.unit OR a.unit <> t.unit
       OR (f.closed_at IS NOT NULL OR a.closed_at IS NOT NULL) AND t.reverses_id IS NULL AND t.kind <> 'savings_moved'
       OR f.floored <> (t.from_version IS NOT NULL) OR a.floored <> (t.to_version IS NOT NULL)
       -- Clearing accounts are written by linked legs only, and a linked leg touches exactly one of them.
       OR (t.link_id IS NOT NULL) <> ((f.kind = 'clearing') <> (a.kind = 'clearing'))
       OR (f.kind = 'clearing' AND a.kind = 'clearing')
       -- What settles windows is moved by settlements only, and they move nothing else.
       OR (f.kind IN ('settled', 'netting') OR a.kind IN ('settled', 'netting'))
          <> (t.kind IN ('settlement', 'settlement_undone', 'carried_meal', 'carried_care', 'carried_aid'));
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
       OR l.own <> l.other;
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
               WHERE p.link_id = t.link_id AND p.id <> t.id AND q.link_id = r.link_id));
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
    WHERE c.version <> c.next_version OR c.balance <> c.next_balance OR c.recorded_at < c.recorded_before;
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
    SELECT n.account_id INTO stale FROM newest n WHERE n.account_id NOT IN (SELECT id FROM carried);
    IF FOUND THEN
        RAISE EXCEPTION 'account % was moved by somebody else meanwhile', stale USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;
