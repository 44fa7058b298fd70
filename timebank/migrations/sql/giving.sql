-- What the tables of family and giving promise beyond their columns. Raised with ERRCODE 'TB001', as the ledger's.

-- A proposal says for ever what was asked. It is answered once; one that was declined may still be withdrawn by whoever
-- made it, who never learns that it was declined.
CREATE FUNCTION family_guard_proposal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'waiting' OR NEW.told_of IS NOT NULL THEN
            RAISE EXCEPTION 'a proposal begins waiting' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE'
       OR (NEW.id, NEW.kind, NEW.proposer_id, NEW.asked_index, NEW.asked_name, NEW.relation, NEW.scopes, NEW.evidence,
           NEW.proposed_at, NEW.proposed_by, NEW.proposed_by_name, NEW.expires_at)
          IS DISTINCT FROM
          (OLD.id, OLD.kind, OLD.proposer_id, OLD.asked_index, OLD.asked_name, OLD.relation, OLD.scopes, OLD.evidence,
           OLD.proposed_at, OLD.proposed_by, OLD.proposed_by_name, OLD.expires_at)
       OR ((NEW.status, NEW.answered_at, NEW.answered_by, NEW.answered_by_name)
           IS DISTINCT FROM (OLD.status, OLD.answered_at, OLD.answered_by, OLD.answered_by_name)
           AND NOT (OLD.status = 'waiting' OR (OLD.status = 'declined' AND NEW.status = 'withdrawn'))) THEN
        RAISE EXCEPTION 'proposal % is answered once, and what it says never changes', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

-- Relations, and heirs among relatives, are registered standing and ended once. A relation does not end under an heir.
CREATE FUNCTION family_guard_relation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.ended_at IS NOT NULL THEN
            RAISE EXCEPTION 'a relation begins standing' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.ended_at IS NOT NULL
       OR (NEW.id, NEW.person_id, NEW.relative_id, NEW.relation, NEW.person_consent, NEW.relative_consent, NEW.evidence,
           NEW.proposal_id, NEW.registered_at, NEW.registered_by, NEW.registered_by_name)
          IS DISTINCT FROM
          (OLD.id, OLD.person_id, OLD.relative_id, OLD.relation, OLD.person_consent, OLD.relative_consent, OLD.evidence,
           OLD.proposal_id, OLD.registered_at, OLD.registered_by, OLD.registered_by_name) THEN
        RAISE EXCEPTION 'relation % ends once, and what it says never changes', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF NEW.ended_at IS NOT NULL AND EXISTS (
        SELECT FROM family_heir h WHERE h.ended_at IS NULL
        AND (h.person_id, h.heir_id) IN ((NEW.person_id, NEW.relative_id), (NEW.relative_id, NEW.person_id))) THEN
        RAISE EXCEPTION 'relation % still carries an heir', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION family_guard_heir() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.ended_at IS NOT NULL OR NOT EXISTS (
            SELECT FROM family_relation r WHERE r.ended_at IS NULL AND r.person_id = least(NEW.person_id, NEW.heir_id)
            AND r.relative_id = greatest(NEW.person_id, NEW.heir_id)) THEN
            RAISE EXCEPTION 'an heir is a registered relative' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.ended_at IS NOT NULL
       OR (NEW.id, NEW.person_id, NEW.heir_id, NEW.evidence, NEW.named_at, NEW.named_by, NEW.named_by_name)
          IS DISTINCT FROM
          (OLD.id, OLD.person_id, OLD.heir_id, OLD.evidence, OLD.named_at, OLD.named_by, OLD.named_by_name) THEN
        RAISE EXCEPTION 'heir % ends once, and what it says never changes', OLD.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER family_proposal_guarded BEFORE INSERT OR UPDATE OR DELETE ON family_proposal
    FOR EACH ROW EXECUTE FUNCTION family_guard_proposal();
CREATE TRIGGER family_relation_guarded BEFORE INSERT OR UPDATE OR DELETE ON family_relation
    FOR EACH ROW EXECUTE FUNCTION family_guard_relation();
CREATE TRIGGER family_heir_guarded BEFORE INSERT OR UPDATE OR DELETE ON family_heir
    FOR EACH ROW EXECUTE FUNCTION family_guard_heir();

-- Whether a movement (named by its first leg) is of this kind and cause, between accounts of these kinds, people and
-- books; a person or book that is NULL may be any.
CREATE FUNCTION giving_fits(
    movement uuid, of_kind text, cause uuid, minutes bigint,
    out_of text, giver uuid, giver_book text, into_kind text, receiver uuid, receiver_book text, lot_expires date
) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM ledger_transfer f
        LEFT JOIN ledger_transfer l ON l.cause_id = f.cause_id AND l.link_id = f.id AND l.id <> f.id
        JOIN ledger_account s ON s.id = f.from_account_id
        JOIN ledger_account t ON t.id = coalesce(l.to_account_id, f.to_account_id)
        WHERE f.id = movement AND (f.link_id IS NULL OR f.link_id = f.id) AND f.reverses_id IS NULL
          AND f.unit = 'minute' AND f.kind = of_kind AND f.cause_kind = of_kind AND f.cause_id = cause
          AND f.amount = minutes AND s.kind = out_of AND t.kind = into_kind
          AND s.person_id IS NOT DISTINCT FROM giver AND t.person_id IS NOT DISTINCT FROM receiver
          AND (giver_book IS NULL OR s.book_code = giver_book) AND (receiver_book IS NULL OR t.book_code = receiver_book)
          AND t.expires_on IS NOT DISTINCT FROM lot_expires);
$$;

-- Gifts and donations are written once, with the movement that they are.
CREATE FUNCTION giving_check_gift() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT giving_fits(NEW.transfer_id, 'gift', NEW.id, NEW.minutes, 'savings', NEW.giver_id, NULL,
                       'savings', NEW.receiver_id, NULL, NULL) THEN
        RAISE EXCEPTION 'gift % does not fit its transfer', NEW.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION giving_check_donation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT giving_fits(NEW.transfer_id, 'donation', NEW.id, NEW.minutes, 'savings', NEW.donor_id, NEW.township_code,
                       'pool', NULL, NEW.township_code, NULL) THEN
        RAISE EXCEPTION 'donation % does not fit its transfer', NEW.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION giving_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never changed or removed', TG_TABLE_NAME USING ERRCODE = 'TB001';
END $$;

-- A request for help says for ever what was asked and is decided once, with the movement out of its own pool.
CREATE FUNCTION giving_guard_hardship() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'waiting' THEN
            RAISE EXCEPTION 'a request for help begins waiting' USING ERRCODE = 'TB001';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.status <> 'waiting'
       OR (NEW.id, NEW.person_id, NEW.township_code, NEW.minutes, NEW.reason, NEW.evidence, NEW.circumstances,
           NEW.requested_at, NEW.requested_by, NEW.requested_by_name)
          IS DISTINCT FROM
          (OLD.id, OLD.person_id, OLD.township_code, OLD.minutes, OLD.reason, OLD.evidence, OLD.circumstances,
           OLD.requested_at, OLD.requested_by, OLD.requested_by_name) THEN
        RAISE EXCEPTION 'request % is decided once, and what it says never changes', OLD.id USING ERRCODE = 'TB001';
    END IF;
    IF NEW.status = 'approved'
       AND NOT giving_fits(NEW.transfer_id, 'hardship_help', NEW.id, NEW.minutes, 'pool', NULL, NEW.township_code,
                           'granted', NEW.person_id, NEW.township_code, NEW.expires_on) THEN
        RAISE EXCEPTION 'request % does not fit its transfer', NEW.id USING ERRCODE = 'TB001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER giving_gift_fits BEFORE INSERT ON giving_gift FOR EACH ROW EXECUTE FUNCTION giving_check_gift();
CREATE TRIGGER giving_donation_fits BEFORE INSERT ON giving_donation
    FOR EACH ROW EXECUTE FUNCTION giving_check_donation();
CREATE TRIGGER giving_hardship_request_guarded BEFORE INSERT OR UPDATE OR DELETE ON giving_hardship_request
    FOR EACH ROW EXECUTE FUNCTION giving_guard_hardship();
CREATE TRIGGER giving_gift_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_gift
    FOR EACH STATEMENT EXECUTE FUNCTION giving_refuse_change();
CREATE TRIGGER giving_donation_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON giving_donation
    FOR EACH STATEMENT EXECUTE FUNCTION giving_refuse_change();
CREATE TRIGGER giving_hardship_request_stays BEFORE TRUNCATE ON giving_hardship_request
    FOR EACH STATEMENT EXECUTE FUNCTION giving_refuse_change();
CREATE TRIGGER family_proposal_stays BEFORE TRUNCATE ON family_proposal
    FOR EACH STATEMENT EXECUTE FUNCTION giving_refuse_change();
CREATE TRIGGER family_relation_stays BEFORE TRUNCATE ON family_relation
    FOR EACH STATEMENT EXECUTE FUNCTION giving_refuse_change();
CREATE TRIGGER family_heir_stays BEFORE TRUNCATE ON family_heir
    FOR EACH STATEMENT EXECUTE FUNCTION giving_refuse_change();
