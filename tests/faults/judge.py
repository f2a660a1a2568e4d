"""Compares the clients' ledger, the providers' ledger and the database after a round."""

import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.scripts import Received
from tests.faults.budgets import budget_gaps
from tests.faults.ledger import Ask, Reading
from tests.faults.trial import Trial
from tests.faults.upstream import by_mark, loss
from tests.faults.waiting import LOOK_S

QUIET_WITHIN_S = 20
# Of text that was sent and is not in the row.
MOST_LOST_S = 2.0
_LIVE = (
    "SELECT count(*) AS live FROM tutoring_generation WHERE session_id = ANY(%s) AND state IN ('pending', 'streaming')"
)
_MESSAGES = """
SELECT id::text, session_id::text AS session, parent_id::text AS parent, seq, role, state, body, error_code
FROM tutoring_message WHERE session_id = ANY(%s) ORDER BY session_id, seq
"""
_GENERATIONS = """
SELECT id::text, message_id::text AS reply, state, tries, extract(epoch FROM created_at)::float8 AS created_at,
    extract(epoch FROM finished_at)::float8 AS finished_at
FROM tutoring_generation WHERE session_id = ANY(%s)
"""

Row = dict[str, Any]


@dataclass
class Verdict:
    wrongs: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    stuck: int = 0
    characters_lost: int = 0
    seconds_lost: float = 0
    requests: int = 0
    tries: int = 0
    server_errors: int = 0


def judge(trial: Trial, *, expected: str = "", most_lost_s: float = MOST_LOST_S) -> Verdict:
    """`expected` matches complaints in the servers' logs that belong to the fault."""
    return _Judgement(trial, expected, most_lost_s).verdict


class _Judgement:
    def __init__(self, trial: Trial, expected: str, most_lost_s: float) -> None:
        self.trial, self.ledger, self.most_lost_s = trial, trial.ledger, most_lost_s
        self.verdict = Verdict(wrongs=[*trial.wrongs])
        self.wrong = self.verdict.wrongs.append
        self._wait_for_quiet()
        sessions = self.ledger.sessions
        self.messages: dict[str, Row] = {row["id"]: row for row in trial.stage.rows(_MESSAGES, sessions)}
        self.generations: dict[str, Row] = {row["id"]: row for row in trial.stage.rows(_GENERATIONS, sessions)}
        self._late()
        self._conversations()
        for ask in self.ledger.asks:
            self._ask(ask)
        for reading in self.ledger.readings:
            self._reading(reading)
        self._upstream()
        self._budgets()
        self._servers(expected)

    def _wait_for_quiet(self) -> None:
        assert self.trial.fault_over_at
        until = self.trial.fault_over_at + QUIET_WITHIN_S
        while live := self.trial.stage.rows(_LIVE, self.ledger.sessions)[0]["live"]:
            if time.time() > until:
                self.verdict.stuck = live
                self.wrong(f"{live} replies are pending or streaming {QUIET_WITHIN_S} s after the fault")
                return
            time.sleep(LOOK_S)

    def _late(self) -> None:
        """What began before the fault was over and ended, but not in time."""
        over_at = self.trial.fault_over_at
        begun = [row for row in self.generations.values() if row["finished_at"] and row["created_at"] < over_at]
        late = [row["finished_at"] - over_at for row in begun if row["finished_at"] > over_at + QUIET_WITHIN_S]
        if late:
            self.verdict.stuck += len(late)
            self.wrong(
                f"{len(late)} replies ended later than {QUIET_WITHIN_S} s after the fault, at worst {max(late):.1f} s"
            )

    def _conversations(self) -> None:
        """Numbers without a gap, question and reply in turn, and the order in which they were acknowledged."""
        rows = defaultdict(list)
        for row in self.messages.values():
            rows[row["session"]].append(row)
        for session, said in rows.items():
            if [row["seq"] for row in said] != list(range(1, len(said) + 1)):
                self.wrong(f"conversation {session} has the numbers {[row['seq'] for row in said]}")
            if [row["role"] for row in said] != ["user", "assistant"] * (len(said) // 2):
                self.wrong(f"conversation {session} has the roles {[row['role'] for row in said]}")
            in_time = sorted(
                (ask for ask in self.ledger.acknowledged if ask.session == session), key=lambda ask: ask.acknowledged_at
            )
            known = {row["id"]: row["seq"] for row in said}
            numbers = [known[ask.ids["message"]] for ask in in_time if ask.ids["message"] in known]
            if numbers != sorted(numbers):
                self.wrong(f"conversation {session} was acknowledged in the order {numbers}")

    def _ask(self, ask: Ask) -> None:
        self.verdict.wrongs += ask.wrongs
        times = sum(ask.mark in row["body"] for row in self.messages.values() if row["role"] == "user")
        if times > 1:
            self.verdict.doubled += 1
            self.wrong(f"{ask.mark} was stored {times} times")
        if ask.ids is None:
            if ask.refusal is None:
                self.wrong(f"{ask.mark} was never answered")
            elif times or ask.refusal[0] not in self.trial.may_be_refused:
                self.wrong(f"{ask.mark} was refused with {ask.refusal} and stored {times} times")
            return
        if ask.refusal:
            self.wrong(f"{ask.mark} was acknowledged and then refused with {ask.refusal}")
        if not self._is_stored(ask, ask.ids):
            self.verdict.lost += 1
            self.wrong(f"{ask.mark} was acknowledged with {ask.ids} and is not stored so")

    def _is_stored(self, ask: Ask, ids: dict[str, str]) -> bool:
        question, reply = self.messages.get(ids["message"]), self.messages.get(ids["reply"])
        generation = self.generations.get(ids["generation"])
        if not question or not reply or not generation or ids["session"] != ask.session:
            return False
        if generation["state"] != reply["state"]:
            self.wrong(f"the reply to {ask.mark} is {reply['state']} and its generation {generation['state']}")
        return question["body"] == ask.text and reply["parent"] == question["id"] and generation["reply"] == reply["id"]

    def _reading(self, reading: Reading) -> None:
        self.verdict.wrongs += reading.wrongs
        if not reading.ask.ids or reading.ask.ids["reply"] not in self.messages:
            return
        row = self.messages[reading.ask.ids["reply"]]
        if not row["body"].startswith(reading.text):
            self.wrong(f"a reader of the reply to {reading.ask.mark} has text that its row has not")
        if reading.done:
            told = (reading.done["state"], reading.done["code"], reading.text)
            if told != (row["state"], row["error_code"], row["body"]):
                self.wrong(f"a reader was told {told[:2]}, {len(told[2])} characters; the row has {_short(row)}")

    def _upstream(self) -> None:
        made = by_mark(self.trial.stage.upstream_requests())
        for ask in self.ledger.acknowledged:
            generation = self.generations.get(ask.generation)
            reply = self.messages.get(ask.ids["reply"])
            if generation and reply and generation["state"] in {"complete", "stopped", "failed"}:
                self._requests(ask, generation, reply, made.get(ask.mark, []))

    def _requests(self, ask: Ask, generation: Row, reply: Row, requests: list[Received]) -> None:
        unsaved = len(requests) - generation["tries"]
        # A process that was killed may have asked after it saved for the last time.
        was_killed = self.trial.cut_at and reply["error_code"] == "interrupted"
        self.verdict.requests += len(requests)
        self.verdict.tries += generation["tries"] + (unsaved == 1 if was_killed else 0)
        if unsaved not in (range(2) if was_killed else range(1)):
            self.wrong(
                f"the reply to {ask.mark} ({_short(reply)}): {len(requests)} requests, {generation['tries']} tries"
            )
        if any(request.sent for request in requests[:-1]):
            self.wrong(f"the reply to {ask.mark} was asked for again after its first text")
        sent = requests[-1].text if requests else ""
        if not sent.startswith(reply["body"]):
            self.wrong(f"the reply to {ask.mark} ({_short(reply)}) is not what the provider sent")
        elif reply["state"] == "complete" and reply["body"] != sent:
            self.wrong(
                f"the reply to {ask.mark} is complete without its last {len(sent) - len(reply['body'])} characters"
            )
        elif requests:
            self._loss(ask, generation, reply, requests[-1])

    def _loss(self, ask: Ask, generation: Row, reply: Row, request: Received) -> None:
        cut_at = min(self.trial.cut_at or generation["finished_at"], generation["finished_at"])
        lost = loss(reply["body"], request, cut_at)
        self.verdict.characters_lost = max(self.verdict.characters_lost, lost.characters)
        self.verdict.seconds_lost = max(self.verdict.seconds_lost, lost.seconds)
        if lost.seconds > self.most_lost_s:
            self.wrong(
                f"the reply to {ask.mark} ({_short(reply)}) lacks {lost.characters} characters, {lost.seconds:.2f} s"
            )

    def _budgets(self) -> None:
        gaps = budget_gaps(self.trial.stage)
        for name in gaps.keys() | self.trial.budget_gaps.keys():
            before, after = self.trial.budget_gaps.get(name), gaps.get(name)
            if before != after:
                self.wrong(f"budget {name}: (reserved, reserved usd, used - recorded, in usd) {before} became {after}")

    def _servers(self, expected: str) -> None:
        self.verdict.server_errors = self.ledger.answers[500] + self.ledger.answers["server_error"]
        if self.verdict.server_errors:
            self.wrong(f"{self.verdict.server_errors} answers were 500")
        for server, size in self.trial.log_sizes.items():
            complaints = server.complaints(size)
            unexpected = [line for line in complaints if not (expected and re.search(expected, line))]
            if unexpected:
                self.wrong(f"{len(unexpected)} complaints in {server.log_file}, the first: {unexpected[0][:1500]}")


def _short(row: Row) -> str:
    code = f" {row['error_code']}" if row["error_code"] else ""
    return f"{row['state']}{code}, {len(row['body'])} characters"
