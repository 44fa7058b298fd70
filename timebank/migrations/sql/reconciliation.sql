-- What the tables of reconciliation promise beyond their columns. Raised with ERRCODE 'TB001', as the ledger's.

-- A break is found open. What it says never changes; a later list may show it again, at another row; it ends once, by a
-- list that no longer has it or by a movement that makes exactly the difference.
CREATE FUNCTION clearing_guard_break() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF num_nulls(NEW.cured_at, NEW.ended_at) <> 2 THEN
            RAISE EXCEPTION 'a break is found open' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.cured_at IS NOT NULL OR OLD.ended_at IS NOT NULL
       OR (NEW.id, NEW.window_number, NEW.township_code, NEW.type, NEW.transfer_id, NEW.other_window, NEW.row_digest,
           NEW.copy, NEW.day, NEW.minutes_here, NEW.minutes_there, NEW.counterpart_code, NEW.person_id, NEW.person_name,
           NEW.owner_township_code, NEW.opened_at)
          IS DISTINCT FROM
          (OLD.id, OLD.window_number, OLD.township_code, OLD.type, OLD.transfer_id, OLD.other_window, OLD.row_digest,
           OLD.copy, OLD.day, OLD.minutes_here, OLD.minutes_there, OLD.counterpart_code, OLD.person_id, OLD.person_name,
           OLD.owner_township_code, OLD.opened_at) THEN
        RAISE EXCEPTION 'break % ends once, and what it says never changes', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF NEW.cured_by_transfer_id IS NOT NULL THEN
        PERFORM clearing_check_cure(NEW);
    END IF;
    RETURN NEW;
END $$;

-- The same rule as in clearing/curing.py. A movement is named by its first leg, whose book is the debtor's.
CREATE FUNCTION clearing_check_cure(b clearing_break) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM ledger_transfer f
    LEFT JOIN ledger_transfer r ON r.id = f.reverses_id
    WHERE f.id = b.cured_by_transfer_id AND f.id = f.link_id AND f.unit = 'minute' AND f.recorded_at > b.opened_at
      AND f.kind NOT IN ('settlement', 'settlement_undone', 'carried_meal', 'carried_care', 'carried_aid')
      AND b.township_code IN (f.book_code, f.counterpart_book_code)
      AND (b.counterpart_code IS NULL OR b.counterpart_code IN (f.book_code, f.counterpart_book_code))
      AND (b.type IN ('missing_there', 'amount') AND r.link_id = b.transfer_id
           OR b.type IN ('missing_here', 'amount', 'duplicate')
              AND CASE WHEN f.book_code = b.township_code THEN -f.amount ELSE f.amount END
                  = coalesce(b.minutes_there, 0) - coalesce(b.minutes_here, 0));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'transfer % does not cure break %', b.cured_by_transfer_id, b.id USING ERRCODE = 'TB001';
    END IF;
END $$;

CREATE TRIGGER clearing_break_guarded BEFORE INSERT OR UPDATE OR DELETE ON clearing_break
    FOR EACH ROW EXECUTE FUNCTION clearing_guard_break();
CREATE TRIGGER clearing_break_stays BEFORE TRUNCATE ON clearing_break
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
CREATE TRIGGER clearing_reconciliation_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON clearing_reconciliation
    FOR EACH STATEMENT EXECUTE FUNCTION clearing_refuse_change();
