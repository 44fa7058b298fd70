-- What the tables of allotments promise beyond their columns. Raised with ERRCODE 'TB001', as the ledger's.
CREATE FUNCTION allotment_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was assessed or granted is never changed or removed' USING ERRCODE = 'TB001';
END $$;

CREATE TRIGGER elder_assessment_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON elder_assessment
    FOR EACH STATEMENT EXECUTE FUNCTION allotment_refuse_change();
CREATE TRIGGER allotment_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON allotment
    FOR EACH STATEMENT EXECUTE FUNCTION allotment_refuse_change();
CREATE TRIGGER seed_grant_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON seed_grant
    FOR EACH STATEMENT EXECUTE FUNCTION allotment_refuse_change();
CREATE TRIGGER volunteer_star_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON volunteer_star
    FOR EACH STATEMENT EXECUTE FUNCTION allotment_refuse_change();
