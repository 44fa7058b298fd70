-- What the tables of claims, donations and produce promise beyond their columns. Raised with ERRCODE 'TB001'.

CREATE TRIGGER meal_donation_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON meal_donation
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER donation_allotment_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON donation_allotment
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER produce_gift_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON produce_gift
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER meal_donation_reference_once BEFORE INSERT ON meal_donation
    FOR EACH ROW EXECUTE FUNCTION meal_reference_once();
CREATE TRIGGER subsidy_claim_stays BEFORE DELETE OR TRUNCATE ON subsidy_claim
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER subsidy_claim_meal_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON subsidy_claim_meal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER subsidy_claim_line_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON subsidy_claim_line
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER subsidy_finding_stays BEFORE DELETE OR TRUNCATE ON subsidy_finding
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- A claim begins as computed and goes on step by step; months of a canteen follow one another, and what was computed stays.
CREATE FUNCTION subsidy_guard_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'computed' OR NEW.township_approved_at IS NOT NULL OR NEW.approved_at IS NOT NULL THEN
            RAISE EXCEPTION 'a claim begins as computed' USING ERRCODE = 'TB001';
        END IF;
        IF EXISTS (SELECT FROM subsidy_claim
                   WHERE canteen_id = NEW.canteen_id AND month > NEW.month AND state <> 'returned') THEN
            RAISE EXCEPTION 'a later month than % is claimed already', NEW.month USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state IN ('paid', 'returned') THEN
        RAISE EXCEPTION 'claim % has ended', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF (NEW.id, NEW.canteen_id, NEW.month, NEW.meals, NEW.list_fen, NEW.elder_fen, NEW.government_fen, NEW.donation_fen)
           IS DISTINCT FROM
           (OLD.id, OLD.canteen_id, OLD.month, OLD.meals, OLD.list_fen, OLD.elder_fen, OLD.government_fen, OLD.donation_fen)
       OR (NEW.garden_fen, NEW.volunteers_fen, NEW.volunteers_in_kind_fen, NEW.operating_fen, NEW.ledger_fen)
           IS DISTINCT FROM
           (OLD.garden_fen, OLD.volunteers_fen, OLD.volunteers_in_kind_fen, OLD.operating_fen, OLD.ledger_fen)
       OR (NEW.policy_version, NEW.computed_at, NEW.computed_by, NEW.computed_by_name) IS DISTINCT FROM
          (OLD.policy_version, OLD.computed_at, OLD.computed_by, OLD.computed_by_name)
       OR OLD.township_approved_at IS NOT NULL AND
          (NEW.township_approved_at, NEW.township_approved_by, NEW.township_approved_by_name, NEW.disallowed_fen)
          IS DISTINCT FROM
          (OLD.township_approved_at, OLD.township_approved_by, OLD.township_approved_by_name, OLD.disallowed_fen)
       OR OLD.approved_at IS NOT NULL AND (NEW.approved_at, NEW.approved_by, NEW.approved_by_name) IS DISTINCT FROM
          (OLD.approved_at, OLD.approved_by, OLD.approved_by_name) THEN
        RAISE EXCEPTION 'what claim % says never changes', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF (OLD.state, NEW.state) NOT IN (
           ('computed', 'checked'), ('checked', 'township_approved'), ('township_approved', 'approved'),
           ('approved', 'paid'), ('computed', 'returned'), ('checked', 'returned'),
           ('township_approved', 'returned'), ('approved', 'returned')) THEN
        RAISE EXCEPTION 'a claim does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'TB001';
    END IF;
    IF NEW.state = 'checked'
       AND EXISTS (SELECT FROM subsidy_finding WHERE claim_id = NEW.id AND decision IS NULL) THEN
        RAISE EXCEPTION 'claim % has findings that nobody has answered', NEW.id USING ERRCODE = 'TB001';
    END IF;
    IF NEW.state = 'township_approved'
       AND EXISTS (SELECT FROM subsidy_claim WHERE canteen_id = NEW.canteen_id AND month < NEW.month
                   AND state NOT IN ('paid', 'returned')) THEN
        RAISE EXCEPTION 'an earlier month than % is not paid yet', NEW.month USING ERRCODE = 'TB001';
    END IF;
    IF NEW.state = 'returned'
       AND EXISTS (SELECT FROM subsidy_claim WHERE canteen_id = NEW.canteen_id AND month > NEW.month
                   AND state <> 'returned') THEN
        RAISE EXCEPTION 'a later month than % is claimed already', NEW.month USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER subsidy_claim_guarded BEFORE INSERT OR UPDATE ON subsidy_claim
    FOR EACH ROW EXECUTE FUNCTION subsidy_guard_claim();

-- At the end of every unit of work in which a claim begins or goes on, its meals and its lines make what it says.
CREATE FUNCTION subsidy_claim_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said bigint[] := ARRAY[NEW.meals, NEW.list_fen, NEW.elder_fen, NEW.government_fen, NEW.donation_fen,
                           NEW.garden_fen, NEW.volunteers_fen];
    by_meal bigint[];
    by_line bigint[];
BEGIN
    SELECT ARRAY[coalesce(sum(meals), 0), coalesce(sum(list_fen), 0), coalesce(sum(elder_fen), 0),
                 coalesce(sum(government_fen), 0), coalesce(sum(donation_fen), 0), coalesce(sum(garden_fen), 0),
                 coalesce(sum(volunteers_fen), 0)]
    INTO by_meal FROM subsidy_claim_meal WHERE claim_id = NEW.id;
    SELECT ARRAY[coalesce(sum(fen), 0), coalesce(sum(fen) FILTER (WHERE share = 'government'), 0),
                 coalesce(sum(fen) FILTER (WHERE in_kind AND share = 'volunteers'), 0)]
    INTO by_line FROM subsidy_claim_line WHERE claim_id = NEW.id;
    IF by_meal <> said OR by_line <> ARRAY[NEW.list_fen, NEW.government_fen, NEW.volunteers_in_kind_fen] THEN
        RAISE EXCEPTION 'claim % says %, its meals make % and its lines %', NEW.id, said, by_meal, by_line
            USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER subsidy_claim_adds_up AFTER INSERT OR UPDATE ON subsidy_claim
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION subsidy_claim_adds_up();

-- A meal is claimed once, taken back once, and never for more than its list price; only while a claim is computed.
CREATE FUNCTION subsidy_guard_claim_meal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    claimed bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM subsidy_claim c JOIN meal_order o ON o.canteen_id = c.canteen_id
                   WHERE c.id = NEW.claim_id AND c.state = 'computed' AND o.id = NEW.order_id) THEN
        RAISE EXCEPTION 'claim % takes no meal %', NEW.claim_id, NEW.order_id USING ERRCODE = 'TB001';
    END IF;
    SELECT coalesce(sum(m.list_fen), 0) INTO claimed
    FROM subsidy_claim_meal m JOIN subsidy_claim c ON c.id = m.claim_id
    WHERE m.order_id = NEW.order_id AND c.state <> 'returned';
    IF claimed + NEW.list_fen NOT BETWEEN 0 AND (SELECT list_fen FROM meal_order WHERE id = NEW.order_id) THEN
        RAISE EXCEPTION 'meal % is claimed with % fen already', NEW.order_id, claimed USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER subsidy_claim_meal_guarded BEFORE INSERT ON subsidy_claim_meal
    FOR EACH ROW EXECUTE FUNCTION subsidy_guard_claim_meal();

-- A finding is written while its claim is computed, and answered once, while nobody has approved.
CREATE FUNCTION subsidy_guard_finding() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM subsidy_claim WHERE id = NEW.claim_id AND state = 'computed') THEN
        RAISE EXCEPTION 'the findings of claim % are closed', NEW.claim_id USING ERRCODE = 'TB001';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.decision IS NOT NULL THEN
            RAISE EXCEPTION 'a finding begins without an answer' USING ERRCODE = 'TB001';
        END IF;
    ELSIF OLD.decision IS NOT NULL
       OR (NEW.claim_id, NEW.number, NEW.kind, NEW.fen, NEW.reason) IS DISTINCT FROM
          (OLD.claim_id, OLD.number, OLD.kind, OLD.fen, OLD.reason)
       OR NEW.order_id IS DISTINCT FROM OLD.order_id OR NEW.person_id IS DISTINCT FROM OLD.person_id THEN
        RAISE EXCEPTION 'finding % of claim % is answered once and never changed', OLD.number, OLD.claim_id
            USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER subsidy_finding_guarded BEFORE INSERT OR UPDATE ON subsidy_finding
    FOR EACH ROW EXECUTE FUNCTION subsidy_guard_finding();

-- Lines are written together with their claim.
CREATE FUNCTION subsidy_guard_claim_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM subsidy_claim WHERE id = NEW.claim_id AND state = 'computed') THEN
        RAISE EXCEPTION 'claim % takes no more lines', NEW.claim_id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER subsidy_claim_line_guarded BEFORE INSERT ON subsidy_claim_line
    FOR EACH ROW EXECUTE FUNCTION subsidy_guard_claim_line();
