"""What the tutor has to know before a university is entered."""

from tenants.doors import Door

DOORS = [
    Door(
        name="university_of_share",
        arguments="hash text",
        returns="bigint",
        body="SELECT university_id FROM public.tutoring_share WHERE token_hash = hash",
        why="Whoever has the link of a shared conversation. Lets out the number of its university.",
    ),
    Door(
        name="lapsed_replies",
        arguments="at_most integer",
        returns="TABLE (generation uuid, university_id bigint)",
        body=(
            "SELECT id, university_id FROM public.tutoring_generation"
            " WHERE state IN ('pending', 'streaming') AND lease_until < statement_timestamp()"
            " ORDER BY lease_until LIMIT at_most"
        ),
        why="The upkeep of each process, which ends what no process makes any more. Lets out ids and numbers.",
    ),
    Door(
        name="universities_with_old_keys",
        arguments="older_than timestamptz",
        returns="SETOF bigint",
        body="SELECT DISTINCT university_id FROM public.tutoring_idempotencykey WHERE created_at < older_than",
        why="The upkeep of each process, which forgets keys that nobody will send again. Lets out numbers.",
    ),
]
