-- What the tables of dishes and menus promise beyond their columns. Raised with ERRCODE 'TB001'.

CREATE TRIGGER menu_dish_stays BEFORE DELETE OR TRUNCATE ON menu_dish
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER menu_stays BEFORE DELETE OR TRUNCATE ON menu
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER menu_item_stays BEFORE TRUNCATE ON menu_item
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER menu_price_change_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON menu_price_change
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- A dish stays its canteen's, and is history once it is archived.
CREATE FUNCTION menu_guard_dish() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.archived_at IS NOT NULL
       OR (NEW.id, NEW.canteen_id, NEW.entered_at, NEW.entered_by, NEW.entered_by_name)
          IS DISTINCT FROM (OLD.id, OLD.canteen_id, OLD.entered_at, OLD.entered_by, OLD.entered_by_name) THEN
        RAISE EXCEPTION 'dish % is archived, or would become another canteen''s', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER menu_dish_guarded BEFORE UPDATE ON menu_dish
    FOR EACH ROW EXECUTE FUNCTION menu_guard_dish();

-- A menu begins as a draft and is released once, whole: with items, each of them priced.
CREATE FUNCTION menu_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            RAISE EXCEPTION 'a menu begins as a draft' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'released'
       OR (NEW.id, NEW.canteen_id, NEW.week_starts_on, NEW.drafted_at, NEW.drafted_by, NEW.drafted_by_name)
          IS DISTINCT FROM
          (OLD.id, OLD.canteen_id, OLD.week_starts_on, OLD.drafted_at, OLD.drafted_by, OLD.drafted_by_name) THEN
        RAISE EXCEPTION 'menu % is released, or would become another one', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF NEW.state = 'released'
       AND (SELECT coalesce(bool_or(price_fen IS NULL), true) FROM menu_item WHERE menu_id = NEW.id) THEN
        RAISE EXCEPTION 'menu % is empty or has no price for everything', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER menu_guarded BEFORE INSERT OR UPDATE ON menu
    FOR EACH ROW EXECUTE FUNCTION menu_guard();

-- An item lies in its menu's canteen and week. Once released, only its price (with a history row that says so), its
-- limit, its orders, and whether it is sold out or withdrawn may change; withdrawn it is history.
CREATE FUNCTION menu_guard_item() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ordered menu_item%ROWTYPE;
    whose menu%ROWTYPE;
    last_change menu_price_change%ROWTYPE;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.withdrawn_at IS NOT NULL THEN
            RAISE EXCEPTION 'item % is withdrawn', OLD.id USING ERRCODE = 'TB001';
        END IF;
        -- Orders come by the thousand and change nothing else: they neither lock the menu nor are looked at further.
        ordered := OLD;
        ordered.portions_ordered := NEW.portions_ordered;
        IF NEW IS NOT DISTINCT FROM ordered AND EXISTS (SELECT FROM menu WHERE id = NEW.menu_id AND state = 'released')
        THEN
            RETURN NEW;
        END IF;
    END IF;
    -- Shared, so that a menu is not released while something is written into its draft.
    SELECT * INTO whose FROM menu
        WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.menu_id ELSE NEW.menu_id END FOR SHARE;
    IF TG_OP = 'DELETE' THEN
        IF whose.state = 'released' THEN
            RAISE EXCEPTION 'item % is released', OLD.id USING ERRCODE = 'TB001';
        END IF;
        RETURN OLD;
    END IF;
    IF NEW.canteen_id <> whose.canteen_id
       OR NEW.served_on NOT BETWEEN whose.week_starts_on AND whose.week_starts_on + 6
       OR (NEW.dish_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM menu_dish WHERE id = NEW.dish_id AND canteen_id = NEW.canteen_id)) THEN
        RAISE EXCEPTION 'item % lies outside its menu', NEW.id USING ERRCODE = 'TB001';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.portions_ordered <> 0 OR NEW.withdrawn_at IS NOT NULL THEN
            RAISE EXCEPTION 'an item begins unordered' USING ERRCODE = 'TB001';
        END IF;
    ELSIF whose.state = 'released' THEN
        IF (NEW.id, NEW.menu_id, NEW.dish_id, NEW.served_on, NEW.meal, NEW.name, NEW.portion, NEW.is_love_meal,
            NEW.diet_forms, NEW.diet_tags, NEW.allergens, NEW.sources)
           IS DISTINCT FROM
           (OLD.id, OLD.menu_id, OLD.dish_id, OLD.served_on, OLD.meal, OLD.name, OLD.portion, OLD.is_love_meal,
            OLD.diet_forms, OLD.diet_tags, OLD.allergens, OLD.sources) THEN
            RAISE EXCEPTION 'item % is released', OLD.id USING ERRCODE = 'TB001';
        END IF;
        IF NEW.price_fen IS DISTINCT FROM OLD.price_fen THEN
            SELECT * INTO last_change FROM menu_price_change
                WHERE menu_item_id = NEW.id ORDER BY number DESC LIMIT 1;
            -- The last change that has happened already ends at the old price, so it can never fit a second time.
            IF (last_change.old_price_fen, last_change.new_price_fen)
               IS DISTINCT FROM (OLD.price_fen, NEW.price_fen) THEN
                RAISE EXCEPTION 'the price of item % changes without a word', OLD.id USING ERRCODE = 'TB001';
            END IF;
        END IF;
    ELSIF NEW.portions_ordered <> 0 OR NEW.withdrawn_at IS NOT NULL OR NEW.menu_id <> OLD.menu_id THEN
        RAISE EXCEPTION 'item % is a draft', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF whose.state = 'released' AND NEW.price_fen IS NULL THEN
        RAISE EXCEPTION 'item % has no price', NEW.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER menu_item_guarded BEFORE INSERT OR UPDATE OR DELETE ON menu_item
    FOR EACH ROW EXECUTE FUNCTION menu_guard_item();

-- Changes of a price follow one another: each from the price of now, the next only once that one has happened.
CREATE FUNCTION menu_guard_price_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM menu_item i JOIN menu m ON m.id = i.menu_id
                   WHERE i.id = NEW.menu_item_id AND m.state = 'released' AND i.price_fen = NEW.old_price_fen)
       OR EXISTS (SELECT FROM menu_price_change
                  WHERE menu_item_id = NEW.menu_item_id AND number = NEW.number - 1
                    AND new_price_fen <> NEW.old_price_fen)
       OR NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM menu_price_change
                         WHERE menu_item_id = NEW.menu_item_id) THEN
        RAISE EXCEPTION 'no such change of the price of item %', NEW.menu_item_id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER menu_price_change_guarded BEFORE INSERT ON menu_price_change
    FOR EACH ROW EXECUTE FUNCTION menu_guard_price_change();

-- What the history says of a price has happened when the unit of work ends.
CREATE FUNCTION menu_price_has_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT price_fen FROM menu_item WHERE id = NEW.menu_item_id) IS DISTINCT FROM
       (SELECT new_price_fen FROM menu_price_change
        WHERE menu_item_id = NEW.menu_item_id ORDER BY number DESC LIMIT 1) THEN
        RAISE EXCEPTION 'the price of item % did not change as written', NEW.menu_item_id USING ERRCODE = 'TB001';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER menu_price_changed AFTER INSERT ON menu_price_change
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION menu_price_has_changed();
