-- What the tables of kitchens and rounds promise beyond their columns. Raised with ERRCODE 'TB001'.

CREATE TRIGGER kitchen_batch_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON kitchen_batch
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER delivery_plan_stays BEFORE DELETE OR TRUNCATE ON delivery_plan
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER delivery_round_stays BEFORE DELETE OR TRUNCATE ON delivery_round
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER delivery_stop_stays BEFORE DELETE OR TRUNCATE ON delivery_stop
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- A round begins as a plan, goes on step by step, ends when every stop has, and is history then.
CREATE FUNCTION delivery_guard_round() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'planned' THEN
            RAISE EXCEPTION 'a round begins as a plan' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'round % has ended', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF (NEW.id, NEW.canteen_id, NEW.served_on, NEW.meal, NEW.number, NEW.departs_at, NEW.minutes, NEW.late, NEW.unlocated)
           IS DISTINCT FROM
           (OLD.id, OLD.canteen_id, OLD.served_on, OLD.meal, OLD.number, OLD.departs_at, OLD.minutes, OLD.late,
            OLD.unlocated)
       OR (NEW.task_id, NEW.policy_version, NEW.planned_at, NEW.planned_by, NEW.planned_by_name)
           IS DISTINCT FROM (OLD.task_id, OLD.policy_version, OLD.planned_at, OLD.planned_by, OLD.planned_by_name)
       OR OLD.departed_at IS NOT NULL AND
           (NEW.departed_at, NEW.departed_by, NEW.departed_by_name, NEW.carrier, NEW.courier_name)
           IS DISTINCT FROM (OLD.departed_at, OLD.departed_by, OLD.departed_by_name, OLD.carrier, OLD.courier_name) THEN
        RAISE EXCEPTION 'what round % is never changes', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF (OLD.state, NEW.state) NOT IN (('planned', 'planned'), ('planned', 'departed'), ('planned', 'replaced'),
            ('planned', 'lapsed'), ('departed', 'departed'), ('departed', 'finished')) THEN
        RAISE EXCEPTION 'a round does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'TB001';
    END IF;
    IF NEW.ended_at IS NOT NULL AND EXISTS (SELECT FROM delivery_stop WHERE round_id = NEW.id AND outcome IS NULL) THEN
        RAISE EXCEPTION 'round % still has stops', NEW.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER delivery_round_guarded BEFORE INSERT OR UPDATE ON delivery_round
    FOR EACH ROW EXECUTE FUNCTION delivery_guard_round();

-- A stop is one order to be delivered, of the round's own meal; it closes once, as its order did, on a round that left.
CREATE FUNCTION delivery_guard_stop() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    carried text;
    placed text;
BEGIN
    SELECT state INTO carried FROM delivery_round WHERE id = NEW.round_id;
    IF TG_OP = 'INSERT' THEN
        IF carried <> 'planned' OR NEW.outcome IS NOT NULL
           OR NOT EXISTS (SELECT FROM meal_order o JOIN delivery_round r ON r.id = NEW.round_id
                          WHERE o.id = NEW.order_id AND o.way = 'deliver' AND o.state = 'placed'
                            AND (o.canteen_id, o.served_on, o.meal) = (r.canteen_id, r.served_on, r.meal)) THEN
            RAISE EXCEPTION 'order % is none for round %', NEW.order_id, NEW.round_id USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.outcome IS NOT NULL THEN
        RAISE EXCEPTION 'stop % of round % is closed', OLD.position, OLD.round_id USING ERRCODE = 'TB001';
    END IF;
    IF (NEW.round_id, NEW.position, NEW.order_id, NEW.planned_minutes)
           IS DISTINCT FROM (OLD.round_id, OLD.position, OLD.order_id, OLD.planned_minutes)
       OR NEW.misses < OLD.misses THEN
        RAISE EXCEPTION 'what stop % of round % is never changes', OLD.position, OLD.round_id USING ERRCODE = 'TB001';
    END IF;
    IF NEW.outcome IS NULL THEN
        RETURN NEW;
    END IF;
    SELECT state INTO placed FROM meal_order WHERE id = NEW.order_id;
    IF NOT (CASE NEW.outcome
            WHEN 'replaced' THEN carried = 'planned'
            WHEN 'delivered' THEN carried = 'departed' AND placed = 'served'
            WHEN 'undelivered' THEN placed = 'undelivered'
                AND (carried = 'departed' OR carried = 'planned' AND NEW.reason = 'not_brought')
            ELSE placed <> 'placed' END) THEN
        RAISE EXCEPTION 'a stop of a % round, its order %, is not %', carried, placed, NEW.outcome
            USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER delivery_stop_guarded BEFORE INSERT OR UPDATE ON delivery_stop
    FOR EACH ROW EXECUTE FUNCTION delivery_guard_stop();
