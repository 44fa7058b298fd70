-- What was found at the end of a month is found once; a bulletin reads the same ever after.
CREATE TRIGGER figure_month_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON figure_month
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
INSERT INTO figure_mark (id, upto_seq) VALUES (1, 0);
