"""The server's side of all races: who races, what is new, and workers that do it. No torch in this process."""

from __future__ import annotations

import atexit
import base64
import itertools
import os
import secrets
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import Any

from playground.knobs import Refused
from playground.lab.entry import Entry
from playground.lab.hands import Hand
from playground.lab.learners import learners
from playground.lab.spec import command_from, question_from, spec_from

MOST_RACES = 24
BUDGETS = 10  # of one race, at the most
AWAY = 0.8  # seconds without a poll after which nothing is computed for a race
FORGOTTEN = 600.0  # seconds without a poll after which it is no more
WAIT = 0.25  # seconds that a poll waits for something new, at the most
GAP = 0.1  # seconds between two answers of one race with something in them
WATCH = 0.1  # seconds between two looks at who is away
HEAVY = 1.3  # what a learner with slow pictures weighs beside the others
LOST = "The process that trained this one stopped. It has been started again: press play for a new race."

Json = dict[str, Any]
UNKNOWN: Json = {"value": None, "kind": "none", "stderr": None}


class Arena:
    """All races and the pool of workers, which is started when it is first needed.

    Every method may be called from any thread. A race is known only by its id, which nobody can guess.

    Args:
        workers: how many processes; by default two, or one where there is one core.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or min(2, os.cpu_count() or 1)
        self._lock = threading.RLock()
        self._hands: list[Hand] = []
        self._races: dict[str, Entry] = {}
        self._asks = itertools.count()
        self._waiting: dict[int, tuple[Hand, Future[Json]]] = {}
        self._facts: list[Json] | None = None
        self._closed = threading.Event()
        atexit.register(self.close)

    def warm(self) -> None:
        """Start the workers, if they are not up; does not wait for them."""
        with self._lock:
            if self._hands or self._closed.is_set():
                return
            self._hands = [Hand(self._heard, self._died) for _ in range(self.workers)]
        threading.Thread(target=self._watch, name="laboratory watch", daemon=True).start()

    def close(self) -> None:
        """End the workers."""
        self._closed.set()
        atexit.unregister(self.close)
        with self._lock:
            hands, self._hands = self._hands, []
            self._races.clear()
        for hand in hands:  # all at once, then one after the other
            hand.end()
        for hand in hands:
            hand.close()

    def facts(self, timeout: float = 90.0) -> list[Json]:
        """What each learner is and can do; the first call waits until a worker has imported torch."""
        if self._facts is None:
            self.warm()
            self._facts = self._ask(self._hands[:1], {"do": "facts"}, timeout)[0]["learners"]
        return self._facts

    def start(self, asked: Any) -> str:
        """Begin a race, whose id is the answer.

        Raises:
            Refused: the spec cannot be, or too many race already.
        """
        spec = spec_from(asked)
        self.warm()
        with self._lock:
            self._make_room()
            owners = self._shared(list(spec["learners"]))
            entry = Entry(secrets.token_urlsafe(16), spec, owners, threading.Condition(self._lock))
            self._races[entry.id] = entry
            for i, hand in enumerate(entry.hands()):
                names = [name for name, owner in owners.items() if owner is hand]
                message = {"do": "start", "race": entry.id, "spec": spec, "learners": names, "judge": i == 0}
                hand.send(message)
        return entry.id

    def poll(self, race: str, since: int = 0, wait: float = WAIT) -> Json:
        """What is newer than ``since``, waiting a moment for it: each learner's latest frame, snapshots, numbers."""
        deadline = time.monotonic() + min(wait, WAIT)
        with self._lock:
            entry = self._races.get(race)
            if entry is None:
                facts = {"id": race, "status": "lost", "seconds": 0.0, "seq": 0}
                return {"race": facts, "frames": [], "numbers": {}}
            self._seen(entry)
            while (now := time.monotonic()) < deadline:
                pause = GAP - (now - entry.answered)
                if entry.seq > since and pause <= 0:
                    break
                entry.news.wait(min(deadline - now, pause) if entry.seq > since else deadline - now)
            entry.polled = entry.answered = time.monotonic()
            return {"race": entry.facts(), **entry.news_since(since)}

    def tell(self, race: str, asked: Any) -> Json:
        """Do what the visitor commands; the race's state afterwards.

        Raises:
            Refused: there is no such race or command.
        """
        with self._lock:
            entry = self._found(race)
            command = command_from(asked, entry.spec)
            do = command["do"]
            if do == "stop":
                self._drop(entry)
                return {"race": {**entry.facts(), "status": "lost"}}
            if do == "more" and entry.budgets == BUDGETS:
                raise Refused(f"It has had {BUDGETS} budgets, which is all a race gets: start another.")
            self._seen(entry)
            entry.note(command)
            for hand in entry.hands():
                hand.send({"do": "tell", "race": entry.id, "command": {**command, "era": entry.era}})
            entry.tick()
            entry.news.notify_all()
            return {"race": entry.facts()}

    def probe(self, race: str, asked: Any, timeout: float = 5.0) -> Json:
        """The answer to a question about the present state of a race.

        Raises:
            Refused: there is no such race or question, the learner cannot, or it took too long.
        """
        with self._lock:
            entry = self._found(race)
            question = question_from(asked, entry.spec)
            if question.get("learner") in entry.lost or not entry.hands():
                raise Refused(LOST)
            hands = [entry.owners[question["learner"]]] if "learner" in question else entry.hands()
        message = {"do": "probe", "race": entry.id, "question": question}
        answers = self._ask(hands, message, max(timeout, 60.0) if question["what"] == "cost" else timeout)
        if question["what"] != "log_prob":
            return answers[0]
        told = {name: value for answer in answers for name, value in answer["learners"].items()}
        return {"learners": {name: told.get(name, UNKNOWN) for name in entry.owners}, "true": answers[0]["true"]}

    def stop(self, race: str) -> None:
        """Forget a race; one that is unknown is forgotten already."""
        with self._lock:
            if race in self._races:
                self._drop(self._races[race])

    def history(self, race: str) -> Json:
        """All that is kept of a race, for exports: its spec, snapshots' frames, latest frames, numbers and their trail.

        Raises:
            Refused: there is no such race.
        """
        with self._lock:
            entry = self._found(race)
            kept = {name: [frames[i] for i in sorted(frames)] for name, frames in entry.kept.items()}
            trail = {name: list(numbers) for name, numbers in entry.trail.items()}
            told = {"spec": entry.spec, "race": entry.facts(), "kept": kept, "trail": trail}
            return {**told, "frames": dict(entry.frames), "numbers": dict(entry.numbers)}

    # ---- what workers say

    def _heard(self, message: Json, blobs: dict[str, bytes]) -> None:
        if message["is"] == "answer":
            with self._lock:
                waiting = self._waiting.pop(message["ask"], None)
            if waiting is not None:
                waiting[1].set_result(message["answer"])
            return
        texts = {name: {"b64": base64.b64encode(blob).decode()} for name, blob in blobs.items()}
        with self._lock:
            entry = self._races.get(message["race"])
            if entry is None or message["era"] < entry.era:
                return  # what it tells of is no more
            if message["is"] == "frame":
                entry.framed({**message["frame"], **texts})
            elif message["is"] == "numbers":
                entry.measured(message["learner"], message["numbers"])
            elif message["is"] == "floor":
                entry.floor = message["floor"]
                entry.seq += 1
            elif message["is"] == "done":
                entry.done.add(message["learner"])
                entry.seq += 1
            elif message["is"] == "lost":
                entry.lose(message["learners"], message["why"])
            entry.tick()
            entry.news.notify_all()

    def _died(self, hand: Hand) -> None:
        with self._lock:
            for entry in self._races.values():
                entry.lose([name for name, owner in entry.owners.items() if owner is hand], LOST)
                entry.tick()
                entry.news.notify_all()
            gone = [ask for ask, (owner, _) in self._waiting.items() if owner is hand]
            futures = [self._waiting.pop(ask)[1] for ask in gone]
        for future in futures:
            future.set_result({"refused": "The process that knew the answer stopped; ask again."})

    # ---- what happens to a race

    def _seen(self, entry: Entry) -> None:
        entry.polled = time.monotonic()
        if entry.away:
            self._leave(entry, False)

    def _leave(self, entry: Entry, away: bool) -> None:
        entry.away = away
        entry.tick()
        for hand in entry.hands():
            hand.send({"do": "away", "race": entry.id, "away": away})

    def _drop(self, entry: Entry) -> None:
        del self._races[entry.id]
        for hand in entry.hands():
            hand.send({"do": "drop", "race": entry.id})
        entry.news.notify_all()

    def _found(self, race: Any) -> Entry:
        entry = self._races.get(race) if isinstance(race, str) else None
        if entry is None:
            raise Refused("That race is over, or the server was started anew: press play.")
        return entry

    def _make_room(self) -> None:
        if all(hand.broken for hand in self._hands):
            raise Refused("The laboratory's workers do not start on this server; its log says why.")
        if len(self._races) < MOST_RACES:
            return
        left = [entry for entry in self._races.values() if entry.away]
        if not left:
            raise Refused(f"{MOST_RACES} visitors race already, which is all this server can do: try in a minute.")
        self._drop(min(left, key=lambda entry: entry.polled))

    def _shared(self, names: list[str]) -> dict[str, Hand]:
        """Who trains where: the heavy ones first, each where least of this race is, then where least of all is."""
        hands = [hand for hand in self._hands if not hand.broken]
        others = dict.fromkeys(hands, 0)
        for entry in self._races.values():
            for hand in entry.owners.values():
                if hand in others and not entry.away:
                    others[hand] += 1
        load = dict.fromkeys(hands, 0.0)
        known, owners = learners(), {}
        for name in sorted(names, key=lambda name: not known[name].heavy):
            hand = min(hands, key=lambda hand: (load[hand], others[hand]))
            owners[name] = hand
            load[hand] += HEAVY if known[name].heavy else 1.0
        return {name: owners[name] for name in names}

    def _ask(self, hands: list[Hand], message: Json, timeout: float) -> list[Json]:
        futures: list[Future[Json]] = []
        for hand in hands:
            ask, future = next(self._asks), Future[Json]()
            with self._lock:
                self._waiting[ask] = (hand, future)
            futures.append(future)
            hand.send({**message, "ask": ask})
        deadline = time.monotonic() + timeout
        try:
            answers = [future.result(max(0.0, deadline - time.monotonic())) for future in futures]
        except Late:
            raise Refused("The answer took too long: the server is busy. Try again.") from None
        for answer in answers:
            if "refused" in answer:
                raise Refused(answer["refused"])
        return answers

    def _watch(self) -> None:
        while not self._closed.wait(WATCH):
            now = time.monotonic()
            with self._lock:
                for entry in list(self._races.values()):
                    if now - entry.polled > FORGOTTEN:
                        self._drop(entry)
                    elif now - entry.polled > AWAY and not entry.away:
                        self._leave(entry, True)
