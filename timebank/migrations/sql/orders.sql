-- What the tables of orders promise beyond their columns. Raised with ERRCODE 'TB001'.

CREATE TRIGGER meal_order_stays BEFORE DELETE OR TRUNCATE ON meal_order
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER meal_order_item_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON meal_order_item
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER meal_order_line_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON meal_order_line
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER meal_service_stays BEFORE DELETE OR TRUNCATE ON meal_service
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER subsidy_use_stays BEFORE DELETE OR TRUNCATE ON subsidy_use
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER order_subsidy_use_stays BEFORE DELETE OR TRUNCATE ON order_subsidy_use
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER standing_order_stays BEFORE DELETE OR TRUNCATE ON standing_order
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER standing_order_day_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON standing_order_day
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- An order begins placed, is changed by revisions while it waits, ends once, and a meal served may be corrected once.
CREATE FUNCTION meal_guard_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'placed' OR NEW.revision <> 1 THEN
            RAISE EXCEPTION 'an order begins placed, with its first revision' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.state, NEW.state) NOT IN (('placed', 'placed'), ('placed', 'served'), ('placed', 'cancelled'),
            ('placed', 'missed'), ('placed', 'undelivered'), ('served', 'corrected')) THEN
        RAISE EXCEPTION 'order % does not go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'TB001';
    END IF;
    IF (NEW.id, NEW.diner_id, NEW.canteen_id, NEW.served_on, NEW.meal, NEW.source, NEW.pickup_number,
        NEW.standing_order_id, NEW.placed_at, NEW.placed_by, NEW.placed_by_name)
           IS DISTINCT FROM
       (OLD.id, OLD.diner_id, OLD.canteen_id, OLD.served_on, OLD.meal, OLD.source, OLD.pickup_number,
        OLD.standing_order_id, OLD.placed_at, OLD.placed_by, OLD.placed_by_name) THEN
        RAISE EXCEPTION 'order % stays one diner''s meal', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF NEW.state = 'placed' AND NEW.revision = OLD.revision + 1 THEN
        RETURN NEW;
    END IF;
    -- How the elder's share is paid is known for good when the meal is served.
    IF NEW.revision <> OLD.revision
       OR (NEW.way, NEW.diet_form, NEW.portions, NEW.list_fen, NEW.elder_fen, NEW.government_fen, NEW.donation_fen,
           NEW.garden_fen, NEW.volunteers_fen, NEW.voucher_id, NEW.policy_version, NEW.delivery_address,
           NEW.delivery_note, NEW.note, NEW.unsuitable_accepted, NEW.cut_off_at, NEW.household_id, NEW.assessment_level,
           NEW.revised_at, NEW.revised_by, NEW.revised_by_name)
          IS DISTINCT FROM
          (OLD.way, OLD.diet_form, OLD.portions, OLD.list_fen, OLD.elder_fen, OLD.government_fen, OLD.donation_fen,
           OLD.garden_fen, OLD.volunteers_fen, OLD.voucher_id, OLD.policy_version, OLD.delivery_address,
           OLD.delivery_note, OLD.note, OLD.unsuitable_accepted, OLD.cut_off_at, OLD.household_id, OLD.assessment_level,
           OLD.revised_at, OLD.revised_by, OLD.revised_by_name)
       OR NEW.cash_fen <> OLD.cash_fen AND (OLD.state, NEW.state) <> ('placed', 'served') THEN
        RAISE EXCEPTION 'what was agreed in order % changes by a revision only', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER meal_order_guarded BEFORE INSERT OR UPDATE ON meal_order
    FOR EACH ROW EXECUTE FUNCTION meal_guard_order();

-- Items come before the lines of their revision, which is the newest; once there are lines, the receipt is closed.
CREATE FUNCTION meal_guard_items() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows n
               WHERE NOT EXISTS (SELECT FROM meal_order o
                                 WHERE o.id = n.order_id AND o.revision = n.revision AND o.state = 'placed')
                  OR EXISTS (SELECT FROM meal_order_line l WHERE l.order_id = n.order_id AND l.revision = n.revision))
    THEN
        RAISE EXCEPTION 'no dish is added to what was agreed' USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER meal_order_item_guarded AFTER INSERT ON meal_order_item REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION meal_guard_items();

-- What a receipt must satisfy: what is listed, and what the five shares bear, is the order's; each share is its column;
-- dishes and delivery are what is listed. Answers what is wrong, NULL where nothing is.
CREATE FUNCTION meal_receipt_misfit(o meal_order) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN l.listed <> o.list_fen THEN 'lists ' || l.listed || ' fen of ' || o.list_fen
        WHEN (l.elder, l.government, l.donation, l.garden, l.volunteers)
             <> (o.elder_fen, o.government_fen, o.donation_fen, o.garden_fen, o.volunteers_fen)
            THEN 'has shares that are not those of its lines'
        WHEN i.fen + l.delivery <> o.list_fen OR l.delivery > 0 AND o.way <> 'deliver'
            THEN 'has dishes of ' || i.fen || ' fen and delivery of ' || l.delivery
        WHEN i.portions <> o.portions THEN 'has ' || i.portions || ' portions, not ' || o.portions
    END
    FROM (SELECT coalesce(sum(fen) FILTER (WHERE share IS NULL), 0) AS listed,
                 coalesce(sum(fen) FILTER (WHERE share IS NULL AND rule_key = 'delivery'), 0) AS delivery,
                 coalesce(sum(fen) FILTER (WHERE share = 'elder'), 0) AS elder,
                 coalesce(sum(fen) FILTER (WHERE share = 'government'), 0) AS government,
                 coalesce(sum(fen) FILTER (WHERE share = 'donation'), 0) AS donation,
                 coalesce(sum(fen) FILTER (WHERE share = 'garden'), 0) AS garden,
                 coalesce(sum(fen) FILTER (WHERE share = 'volunteers'), 0) AS volunteers
          FROM meal_order_line WHERE order_id = o.id AND revision = o.revision) l,
         (SELECT coalesce(sum(quantity * price_fen), 0) AS fen, coalesce(sum(quantity), 0) AS portions
          FROM meal_order_item WHERE order_id = o.id AND revision = o.revision) i
$$;

-- Lines of a receipt are written all at once: it adds up as soon as it is there, and nothing is added later.
CREATE FUNCTION meal_guard_lines() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT n.order_id, coalesce(meal_receipt_misfit(o), 'is not at revision ' || n.revision) AS why INTO wrong
    FROM (SELECT DISTINCT order_id, revision FROM new_rows) n JOIN meal_order o ON o.id = n.order_id
    WHERE o.revision <> n.revision OR o.state <> 'placed' OR meal_receipt_misfit(o) IS NOT NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'order % %', wrong.order_id, wrong.why USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER meal_order_line_guarded AFTER INSERT ON meal_order_line REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION meal_guard_lines();

-- By the end of the unit of work every order has the items and lines of its newest revision.
CREATE FUNCTION meal_check_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    o meal_order;
    why text;
BEGIN
    SELECT * INTO o FROM meal_order WHERE id = NEW.id;
    why := meal_receipt_misfit(o);
    IF why IS NOT NULL THEN
        RAISE EXCEPTION 'order % %', NEW.id, why USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER meal_order_adds_up AFTER INSERT OR UPDATE OF revision ON meal_order
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION meal_check_order();

-- By the end of the unit of work a meal of a day counts the portions of its orders, but for those that nobody cooked.
CREATE FUNCTION meal_check_service() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counted bigint;
    said bigint;
BEGIN
    SELECT coalesce(sum(portions), 0) INTO counted FROM meal_order
        WHERE canteen_id = NEW.canteen_id AND served_on = NEW.served_on AND meal = NEW.meal
          AND state IN ('placed', 'served', 'missed', 'undelivered');
    SELECT ordered_meals INTO said FROM meal_service
        WHERE canteen_id = NEW.canteen_id AND served_on = NEW.served_on AND meal = NEW.meal;
    IF counted <> said THEN
        RAISE EXCEPTION '% on % at % counts % portions, its orders make %', NEW.meal, NEW.served_on, NEW.canteen_id,
            said, counted USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER meal_service_counts AFTER INSERT OR UPDATE OF ordered_meals ON meal_service
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION meal_check_service();

-- A meal of a day stays what it is, and pickup numbers are given in order.
CREATE FUNCTION meal_guard_service() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.canteen_id, NEW.served_on, NEW.meal) IS DISTINCT FROM (OLD.canteen_id, OLD.served_on, OLD.meal)
       OR NEW.last_pickup_number < OLD.last_pickup_number THEN
        RAISE EXCEPTION 'a meal of a day stays what it is' USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER meal_service_guarded BEFORE UPDATE ON meal_service
    FOR EACH ROW EXECUTE FUNCTION meal_guard_service();

-- What one order has of a limit may shrink; it grows only while the order can still be changed.
CREATE FUNCTION meal_guard_order_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.order_id, NEW.scope, NEW.scope_id, NEW.served_on, NEW.meal, NEW.rule_key)
           IS DISTINCT FROM (OLD.order_id, OLD.scope, OLD.scope_id, OLD.served_on, OLD.meal, OLD.rule_key) THEN
        RAISE EXCEPTION 'what order % has of a limit stays of that limit', OLD.order_id USING ERRCODE = 'TB001';
    END IF;
    IF NEW.fen > (CASE WHEN TG_OP = 'UPDATE' THEN OLD.fen ELSE 0 END)
       AND NOT EXISTS (SELECT FROM meal_order WHERE id = NEW.order_id AND state = 'placed') THEN
        RAISE EXCEPTION 'order % has ended and takes nothing more', NEW.order_id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER order_subsidy_use_guarded BEFORE INSERT OR UPDATE ON order_subsidy_use
    FOR EACH ROW EXECUTE FUNCTION meal_guard_order_use();

-- By the end of the unit of work what is used of a limit is what orders have of it.
CREATE FUNCTION meal_check_use() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
    said bigint;
BEGIN
    SELECT coalesce(sum(fen), 0) INTO taken FROM order_subsidy_use
        WHERE (scope, scope_id, served_on, meal, rule_key)
            = (NEW.scope, NEW.scope_id, NEW.served_on, NEW.meal, NEW.rule_key);
    SELECT used_fen INTO said FROM subsidy_use
        WHERE (scope, scope_id, served_on, meal, rule_key)
            = (NEW.scope, NEW.scope_id, NEW.served_on, NEW.meal, NEW.rule_key);
    IF taken <> said THEN
        RAISE EXCEPTION 'of % % fen are used, its orders have %', NEW.rule_key, said, taken USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER subsidy_use_told AFTER INSERT OR UPDATE ON subsidy_use
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION meal_check_use();
CREATE CONSTRAINT TRIGGER order_subsidy_use_told AFTER INSERT OR UPDATE ON order_subsidy_use
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION meal_check_use();

-- A standing order is what it is from its first day on; it is paused, and ended once.
CREATE FUNCTION meal_guard_standing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL
       OR (NEW.id, NEW.diner_id, NEW.canteen_id, NEW.meal, NEW.way, NEW.weekdays, NEW.choice, NEW.use_vouchers,
           NEW.starts_on, NEW.ends_on, NEW.made_at, NEW.made_by, NEW.made_by_name)
          IS DISTINCT FROM
          (OLD.id, OLD.diner_id, OLD.canteen_id, OLD.meal, OLD.way, OLD.weekdays, OLD.choice, OLD.use_vouchers,
           OLD.starts_on, OLD.ends_on, OLD.made_at, OLD.made_by, OLD.made_by_name) THEN
        RAISE EXCEPTION 'standing order % is as it was made', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER standing_order_guarded BEFORE UPDATE ON standing_order
    FOR EACH ROW EXECUTE FUNCTION meal_guard_standing();

-- A voucher that a meal was ordered with is that meal's: it comes back first, or pays for it.
CREATE FUNCTION voucher_guard_aside() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.set_aside_for IS NOT NULL THEN
            RAISE EXCEPTION 'a voucher begins with nobody''s meal' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.set_aside_for IS NOT NULL AND NEW.set_aside_for IS NOT NULL
       AND (NEW.set_aside_for, NEW.set_aside_at) IS DISTINCT FROM (OLD.set_aside_for, OLD.set_aside_at)
       OR NEW.status <> OLD.status AND NEW.set_aside_for IS DISTINCT FROM OLD.set_aside_for THEN
        RAISE EXCEPTION 'voucher % is set aside for one meal at a time', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER voucher_aside_guarded BEFORE INSERT OR UPDATE ON voucher
    FOR EACH ROW EXECUTE FUNCTION voucher_guard_aside();
