"""What Django's constraints cannot say: rows that never change, and children that follow their prompt.

A composite foreign key on the university would not do: PostgreSQL skips it where a column is NULL, as it is for the
platform's rows, so a university's text could be stored as everybody's.
"""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION prompts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Row % of % never changes in this column.', OLD.id, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION prompts_follow_prompt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM prompts_prompt
        WHERE id = NEW.prompt_id AND university_id IS NOT DISTINCT FROM NEW.university_id
    ) THEN
        RAISE EXCEPTION 'Row of % is not of the university of its prompt.', TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

NO_FUNCTIONS = "DROP FUNCTION prompts_refuse_change(); DROP FUNCTION prompts_follow_prompt();"

# A person's account may be deleted: `created_by` is the one column of a version that may become empty.
NEVER_CHANGES = """
CREATE TRIGGER prompts_version_never_changes BEFORE UPDATE ON prompts_promptversion FOR EACH ROW
WHEN ((OLD.id, OLD.university_id, OLD.prompt_id, OLD.number, OLD.body, OLD.config, OLD.commit_message, OLD.from_library,
       OLD.created_at)
      IS DISTINCT FROM
      (NEW.id, NEW.university_id, NEW.prompt_id, NEW.number, NEW.body, NEW.config, NEW.commit_message, NEW.from_library,
       NEW.created_at))
EXECUTE FUNCTION prompts_refuse_change();

CREATE TRIGGER prompts_prompt_keeps_its_name BEFORE UPDATE ON prompts_prompt FOR EACH ROW
WHEN ((OLD.id, OLD.university_id, OLD.name, OLD.type) IS DISTINCT FROM (NEW.id, NEW.university_id, NEW.name, NEW.type))
EXECUTE FUNCTION prompts_refuse_change();
"""

MAY_CHANGE = """
DROP TRIGGER prompts_version_never_changes ON prompts_promptversion;
DROP TRIGGER prompts_prompt_keeps_its_name ON prompts_prompt;
"""

CHILDREN = ["prompts_promptversion", "prompts_promptlabel", "prompts_promptlabelmove"]
FOLLOW = "".join(
    f"CREATE TRIGGER prompts_follow_prompt BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW "
    "EXECUTE FUNCTION prompts_follow_prompt();"
    for table in CHILDREN
)
FOLLOW_NOT = "".join(f"DROP TRIGGER prompts_follow_prompt ON {table};" for table in CHILDREN)

VERSION_COLUMNS = [
    ("prompts_promptlabel", "version_id"),
    ("prompts_promptlabelmove", "from_version_id"),
    ("prompts_promptlabelmove", "to_version_id"),
]
OF_ITS_PROMPT = "".join(
    f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_of_prompt FOREIGN KEY (prompt_id, {column}) "
    "REFERENCES prompts_promptversion (prompt_id, id) DEFERRABLE INITIALLY DEFERRED;"
    for table, column in VERSION_COLUMNS
)
OF_ANY_PROMPT = "".join(
    f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_of_prompt;" for table, column in VERSION_COLUMNS
)


class Migration(migrations.Migration):
    dependencies = [("prompts", "0001_prompts")]

    operations = [
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.RunSQL(NEVER_CHANGES, MAY_CHANGE),
        migrations.RunSQL(FOLLOW, FOLLOW_NOT),
        migrations.RunSQL(OF_ITS_PROMPT, OF_ANY_PROMPT),
    ]
