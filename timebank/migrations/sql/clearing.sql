-- What the tables of clearing promise beyond their columns. Raised with ERRCODE 'TB001', as the ledger's.

-- Windows follow one another without a gap; what a closed one says never changes, and it moves forward only, except that
-- a settlement that was undone puts its window back under review.
CREATE FUNCTION clearing_guard_window() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'open'
           OR NEW.number <> (SELECT coalesce(max(w.number), 0) + 1 FROM clearing_window w)
           OR NEW.from_seq <> (SELECT coalesce(max(w.to_seq), 0) FROM clearing_window w) THEN
            RAISE EXCEPTION 'a window opens where the one before it ends' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.number, NEW.name, NEW.from_seq, NEW.opened_at)
           IS DISTINCT FROM (OLD.number, OLD.name, OLD.from_seq, OLD.opened_at)
       OR OLD.status <> 'open'
          AND (NEW.to_seq, NEW.last_leg_seq, NEW.ends_at, NEW.closed_at, NEW.closed_by, NEW.closed_by_name, NEW.prices)
              IS DISTINCT FROM
              (OLD.to_seq, OLD.last_leg_seq, OLD.ends_at, OLD.closed_at, OLD.closed_by, OLD.closed_by_name, OLD.prices)
       OR OLD.status = 'settled' AND NEW.status = 'settled'
          AND (NEW.seal, NEW.settled_at) IS DISTINCT FROM (OLD.seal, OLD.settled_at) THEN
        RAISE EXCEPTION 'what window % says never changes', OLD.name USING ERRCODE = 'TB001';
    END IF;
    IF NEW.status <> OLD.status
       AND (OLD.status, NEW.status) NOT IN (('open', 'closed'), ('closed', 'under_review'), ('closed', 'settled'),
                                            ('under_review', 'settled'), ('settled', 'under_review'))
       OR OLD.status = 'settled' AND NEW.status <> 'settled'
          AND EXISTS (SELECT FROM clearing_settlement s WHERE s.window_number = OLD.number AND s.status <> 'aborted') THEN
        RAISE EXCEPTION 'window % does not go from % to %', OLD.name, OLD.status, NEW.status USING ERRCODE = 'TB001';
    END IF;
    IF NEW.status = 'settled' AND OLD.status <> 'settled'
       AND (EXISTS (SELECT FROM clearing_statement s WHERE s.window_number = OLD.number AND s.confirmed_at IS NULL)
            OR EXISTS (SELECT FROM clearing_dispute d WHERE d.window_number = OLD.number AND d.ruling IS NULL)) THEN
        RAISE EXCEPTION 'window % is not reviewed', OLD.name USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER clearing_window_guarded BEFORE INSERT OR UPDATE ON clearing_window
    FOR EACH ROW EXECUTE FUNCTION clearing_guard_window();

-- The tally grows while its window is open, and is final afterwards.
CREATE FUNCTION clearing_guard_tally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
       OR TG_OP = 'UPDATE'
          AND ((NEW.window_number, NEW.debtor, NEW.creditor, NEW.kind)
                   IS DISTINCT FROM (OLD.window_number, OLD.debtor, OLD.creditor, OLD.kind)
               OR NEW.minutes < OLD.minutes OR NEW.transfers < OLD.transfers)
       OR (SELECT w.status FROM clearing_window w WHERE w.number = NEW.window_number) <> 'open' THEN
        RAISE EXCEPTION 'the tally of a closed window is final, that of an open one grows' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER clearing_tally_guarded BEFORE INSERT OR UPDATE OR DELETE ON clearing_tally
    FOR EACH ROW EXECUTE FUNCTION clearing_guard_tally();

CREATE FUNCTION clearing_guard_mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.upto_seq < OLD.upto_seq THEN
        RAISE EXCEPTION 'the mark of the tally moves forward only' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER clearing_tally_mark_guarded BEFORE UPDATE OR DELETE ON clearing_tally_mark
    FOR EACH ROW EXECUTE FUNCTION clearing_guard_mark();

-- A statement changes while its window is being reviewed, and never afterwards.
CREATE FUNCTION clearing_guard_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stands text;
BEGIN
    SELECT w.status INTO stands FROM clearing_window w
    WHERE w.number = CASE TG_OP WHEN 'DELETE' THEN OLD.window_number ELSE NEW.window_number END;
    IF TG_OP = 'DELETE' OR stands NOT IN ('closed', 'under_review')
       OR TG_OP = 'UPDATE' AND (NEW.window_number, NEW.township_code) IS DISTINCT FROM (OLD.window_number, OLD.township_code)
    THEN
        RAISE EXCEPTION 'a statement changes only while its window is under review' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER clearing_statement_guarded BEFORE INSERT OR UPDATE OR DELETE ON clearing_statement
    FOR EACH ROW EXECUTE FUNCTION clearing_guard_statement();

-- A line is disputed while its window is under review, and ruled upon once.
CREATE FUNCTION clearing_guard_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
       OR (SELECT w.status FROM clearing_window w WHERE w.number = NEW.window_number)
          NOT IN ('closed', 'under_review')
       OR TG_OP = 'INSERT'
          AND (NEW.ruling IS NOT NULL
               OR NOT EXISTS (SELECT FROM ledger_transfer t WHERE t.id = NEW.transfer_id AND t.id = t.link_id
                                AND NEW.township_code IN (t.book_code, t.counterpart_book_code)))
       OR TG_OP = 'UPDATE'
          AND (OLD.ruling IS NOT NULL
               OR (NEW.id, NEW.window_number, NEW.transfer_id, NEW.township_code, NEW.reason, NEW.raised_at, NEW.raised_by,
                   NEW.raised_by_name)
                  IS DISTINCT FROM
                  (OLD.id, OLD.window_number, OLD.transfer_id, OLD.township_code, OLD.reason, OLD.raised_at, OLD.raised_by,
                   OLD.raised_by_name))
    THEN
        RAISE EXCEPTION 'a dispute is raised under review and ruled upon once' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER clearing_dispute_guarded BEFORE INSERT OR UPDATE OR DELETE ON clearing_dispute
    FOR EACH ROW EXECUTE FUNCTION clearing_guard_dispute();

-- A line moves out of a window under review into the open one.
CREATE FUNCTION clearing_guard_moved_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT w.status FROM clearing_window w WHERE w.number = NEW.from_window) NOT IN ('closed', 'under_review')
       OR (SELECT w.status FROM clearing_window w WHERE w.number = NEW.to_window) <> 'open' THEN
        RAISE EXCEPTION 'a line moves from a window under review into the open one' USING ERRCODE = 'TB001';
    END IF;
    PERFORM FROM clearing_dispute d
    WHERE d.window_number = NEW.from_window AND d.transfer_id = NEW.transfer_id AND d.ruling = 'moved';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a line moves by the ruling of a dispute' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER clearing_moved_line_guarded BEFORE INSERT ON clearing_moved_line
    FOR EACH ROW EXECUTE FUNCTION clearing_guard_moved_line();

-- A settlement goes on from instructed; a payment ends once.
CREATE FUNCTION clearing_guard_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
       OR (NEW.id, NEW.window_number, NEW.attempt, NEW.method, NEW.settled_at, NEW.settled_by, NEW.settled_by_name)
          IS DISTINCT FROM
          (OLD.id, OLD.window_number, OLD.attempt, OLD.method, OLD.settled_at, OLD.settled_by, OLD.settled_by_name)
       OR NEW.carried_into IS DISTINCT FROM OLD.carried_into
       OR (OLD.status = 'aborted' OR NEW.status = OLD.status) AND NEW IS DISTINCT FROM OLD
       OR OLD.status = 'completed' AND NEW.status = 'instructed'
       OR NEW.status = 'aborted' AND EXISTS (SELECT FROM clearing_payment p
                                             WHERE p.settlement_id = OLD.id AND p.state IN ('instructed', 'paid')) THEN
        RAISE EXCEPTION 'settlement % ends once', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER clearing_settlement_guarded BEFORE UPDATE OR DELETE ON clearing_settlement
    FOR EACH ROW EXECUTE FUNCTION clearing_guard_settlement();

CREATE FUNCTION clearing_guard_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM clearing_settlement s
        WHERE s.id = NEW.settlement_id AND s.status = 'instructed' AND NEW.state = 'instructed';
        IF NOT FOUND THEN
            RAISE EXCEPTION 'a payment is instructed for a settlement that stands' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.state <> 'instructed'
       OR (NEW.id, NEW.settlement_id, NEW.township_code, NEW.attempt, NEW.direction, NEW.amount_fen, NEW.instructed_at)
          IS DISTINCT FROM
          (OLD.id, OLD.settlement_id, OLD.township_code, OLD.attempt, OLD.direction, OLD.amount_fen, OLD.instructed_at)
    THEN
        RAISE EXCEPTION 'a payment ends once' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER clearing_payment_guarded BEFORE INSERT OR UPDATE OR DELETE ON clearing_payment
    FOR EACH ROW EXECUTE FUNCTION clearing_guard_payment();

-- When a settlement is made, it has brought every township's clearing account to where the window's position is zero,
-- and what it carries over is the opposite of that; when it is aborted, all of it is undone; and the house keeps nothing.
-- Looked at when the transaction ends.
CREATE FUNCTION clearing_check_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad text;
BEGIN
    SELECT coalesce(wanted.township_code, made.book_code) INTO bad
    FROM (SELECT s.township_code, k.carried,
                 CASE WHEN c.status = 'aborted' OR k.carried AND c.method = 'pay' THEN 0
                      WHEN k.carried THEN -s.position_minutes ELSE s.position_minutes END AS minutes
          FROM clearing_statement s JOIN clearing_settlement c ON c.window_number = s.window_number
          CROSS JOIN (VALUES (false), (true)) k (carried)
          WHERE c.id = NEW.id) wanted
    FULL JOIN (SELECT t.book_code, t.kind IN ('carried_meal', 'carried_care', 'carried_aid') AS carried,
                      sum(CASE WHEN a.kind = 'clearing' THEN t.amount ELSE -t.amount END) AS minutes
               FROM ledger_transfer t JOIN ledger_account a ON a.id = t.to_account_id
               WHERE t.cause_id = NEW.id AND t.cause_kind = 'settlement' AND t.book_code <> 'house'
               GROUP BY 1, 2) made
        ON (made.book_code, made.carried) = (wanted.township_code, wanted.carried)
    WHERE coalesce(wanted.minutes, 0) <> coalesce(made.minutes, 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'settlement % leaves the clearing of % where it should not be', NEW.id, bad
            USING ERRCODE = 'TB001';
    END IF;
    PERFORM FROM (
        SELECT coalesce(sum(CASE WHEN t.to_account_id = a.id THEN t.amount ELSE -t.amount END), 0) AS kept
        FROM ledger_account a JOIN ledger_transfer t ON a.id IN (t.to_account_id, t.from_account_id)
        WHERE t.cause_id = NEW.id AND a.kind = 'netting') n
    WHERE n.kept <> 0;
    IF FOUND THEN
        RAISE EXCEPTION 'settlement % leaves minutes with the house', NEW.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER clearing_settlement_whole AFTER INSERT OR UPDATE ON clearing_settlement
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION clearing_check_settlement();

-- Nothing of it is ever removed, and some of it never changes.
CREATE FUNCTION clearing_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'TB001';
END $$;

CREATE TRIGGER clearing_window_stays BEFORE DELETE OR TRUNCATE ON clearing_window
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
CREATE TRIGGER clearing_tally_stays BEFORE TRUNCATE ON clearing_tally
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
CREATE TRIGGER clearing_tally_mark_stays BEFORE TRUNCATE ON clearing_tally_mark
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
CREATE TRIGGER clearing_participant_stays BEFORE DELETE OR TRUNCATE ON clearing_participant
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
CREATE TRIGGER clearing_statement_stays BEFORE TRUNCATE ON clearing_statement
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
CREATE TRIGGER clearing_dispute_stays BEFORE TRUNCATE ON clearing_dispute
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
CREATE TRIGGER clearing_settlement_stays BEFORE TRUNCATE ON clearing_settlement
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
CREATE TRIGGER clearing_payment_stays BEFORE TRUNCATE ON clearing_payment
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
CREATE TRIGGER clearing_moved_line_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON clearing_moved_line
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
CREATE TRIGGER clearing_limit_override_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON clearing_limit_override
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
CREATE TRIGGER clearing_guarantee_call_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON clearing_guarantee_call
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
CREATE TRIGGER clearing_recomputation_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON clearing_recomputation
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
