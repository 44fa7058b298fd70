-- What the tables of ratings and follow-up calls promise beyond their columns. Raised with ERRCODE 'TB001'.

CREATE TRIGGER meal_rating_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON meal_rating
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER meal_rating_reply_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON meal_rating_reply
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER meal_rating_hiding_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON meal_rating_hiding
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER follow_up_draw_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON follow_up_draw
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER follow_up_call_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON follow_up_call
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER follow_up_stays BEFORE DELETE OR TRUNCATE ON follow_up
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- Only a served meal is rated, as what it was, and revisions follow one another.
CREATE FUNCTION rating_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Locked, so that the order stays served until this is committed.
    PERFORM FROM meal_order
        WHERE id = NEW.order_id AND state = 'served'
          AND (canteen_id, diner_id, served_on) = (NEW.canteen_id, NEW.diner_id, NEW.served_on)
        FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'order % is no served meal of this diner at this canteen on this day', NEW.order_id
            USING ERRCODE = 'TB001';
    END IF;
    IF NEW.revision <> (SELECT coalesce(max(revision), 0) + 1 FROM meal_rating WHERE order_id = NEW.order_id) THEN
        RAISE EXCEPTION 'revision % of the rating of order % leaves one out', NEW.revision, NEW.order_id
            USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER meal_rating_guarded BEFORE INSERT ON meal_rating
    FOR EACH ROW EXECUTE FUNCTION rating_guard();

CREATE FUNCTION rating_guard_reply() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision <> (SELECT coalesce(max(revision), 0) + 1 FROM meal_rating_reply
                        WHERE order_id = NEW.order_id) THEN
        RAISE EXCEPTION 'revision % of the reply about order % leaves one out', NEW.revision, NEW.order_id
            USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER meal_rating_reply_guarded BEFORE INSERT ON meal_rating_reply
    FOR EACH ROW EXECUTE FUNCTION rating_guard_reply();

-- Somebody is called about a meal that was theirs; a follow-up is opened, and closed once.
CREATE FUNCTION follow_up_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.closed_at IS NOT NULL
           OR NOT EXISTS (SELECT FROM meal_order WHERE id = NEW.order_id AND diner_id = NEW.person_id) THEN
            RAISE EXCEPTION 'a follow-up is opened about a meal of the diner' USING ERRCODE = 'TB001';
        END IF;
    ELSIF OLD.closed_at IS NOT NULL
          OR (NEW.id, NEW.month, NEW.township_code, NEW.person_id, NEW.order_id, NEW.reason, NEW.opened_at)
             IS DISTINCT FROM
             (OLD.id, OLD.month, OLD.township_code, OLD.person_id, OLD.order_id, OLD.reason, OLD.opened_at) THEN
        RAISE EXCEPTION 'follow-up % stays what it is', OLD.id USING ERRCODE = 'TB001';
    ELSIF NOT EXISTS (SELECT FROM follow_up_call WHERE follow_up_id = NEW.id) THEN
        RAISE EXCEPTION 'follow-up % is closed without a call', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER follow_up_guarded BEFORE INSERT OR UPDATE ON follow_up
    FOR EACH ROW EXECUTE FUNCTION follow_up_guard();

-- Calls follow one another while the follow-up is open; after somebody was reached there is none.
CREATE FUNCTION follow_up_guard_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM follow_up WHERE id = NEW.follow_up_id AND closed_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND
       OR NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM follow_up_call
                         WHERE follow_up_id = NEW.follow_up_id)
       OR EXISTS (SELECT FROM follow_up_call WHERE follow_up_id = NEW.follow_up_id AND reached) THEN
        RAISE EXCEPTION 'call % is none of follow-up %', NEW.number, NEW.follow_up_id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER follow_up_call_guarded BEFORE INSERT ON follow_up_call
    FOR EACH ROW EXECUTE FUNCTION follow_up_guard_call();
