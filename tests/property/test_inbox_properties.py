"""Whatever senders do and wherever the program dies: each content once, nothing lost."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.aggregators.contract import AggregatorError
from app.connectors.inbox import QUIET_SECONDS, waiting_files
from tests.memory_inbox import Crash, MemoryStore

NAMES = st.sampled_from(["october.bai", "october.csv", "today", "a.b.c"])
CONTENTS = st.sampled_from([b"alpha", b"beta", b"gamma", b"bad delta"])
BAD = b"bad"


class Inbox(RuleBasedStateMachine):
    """Senders on one side, and an importer that knows contents by themselves on the other."""

    @initialize()
    def begin(self):
        self.store = MemoryStore()
        self.sent = Counter()
        self.growing = {}
        self.imported = []
        self.refused = Counter()

    @rule(name=NAMES, content=CONTENTS, done=st.booleans())
    def deliver(self, name, content, done):
        if name in self.store.inbox:
            return  # a sender that replaces its own file loses it by itself
        self.store.put(name, content)
        self.sent[content] += 1
        if done:
            self.mark(name)

    @rule(name=NAMES, content=CONTENTS)
    def begin_to_send(self, name, content):
        if name not in self.store.inbox:
            self.store.put(name, content[:2])
            self.growing[name] = content

    @precondition(lambda self: self.growing)
    @rule(data=st.data())
    def go_on_sending(self, data):
        name = data.draw(st.sampled_from(sorted(self.growing)))
        whole = self.growing[name]
        have = len(self.store.inbox[name][1])
        self.store.append(name, whole[have : have + 2])
        if self.store.inbox[name][1] == whole:
            del self.growing[name]
            self.sent[whole] += 1

    @rule(name=NAMES)
    def mark(self, name):
        mark = f"{name}.done"
        if name in self.store.inbox and name not in self.growing and mark not in self.store.inbox:
            self.store.put(mark, b"")

    @rule(seconds=st.sampled_from([1, 20, QUIET_SECONDS * 3]))
    def time_passes(self, seconds):
        if self.growing:  # a sender that falls silent for long cannot be told from one that ended
            seconds = min(seconds, 20)
            for name in self.growing:
                self.store.append(name, b"")
        self.store.tick(seconds)

    @rule(operations=st.none() | st.integers(0, 40), dies_after_import=st.booleans())
    def look(self, operations, dies_after_import):
        self.store.operations_left = operations
        try:
            for file in waiting_files(self.store):
                self.take(file, dies_after_import)
        except Crash:
            pass
        finally:
            self.store.operations_left = None

    def take(self, file, dies_after_import):
        try:
            content = file.read()
        except AggregatorError:
            return
        if content.startswith(BAD):
            file.refuse("It is bad.")
            self.refused[content] += 1
            return
        if content not in self.imported:
            self.imported.append(content)
            if dies_after_import:
                raise Crash
        file.accept()

    @invariant()
    def each_content_is_imported_once_and_only_whole(self):
        assert len(set(self.imported)) == len(self.imported)
        assert set(self.imported) <= set(self.sent)

    @invariant()
    def nothing_is_deleted_or_altered(self):
        here = Counter(
            content
            for name, (_, content) in self.store.inbox.items()
            if not name.endswith(".done") and name not in self.growing
        )
        for folder in self.store.folders.values():
            here.update(
                content
                for name, content in folder.items()
                if content and not name.endswith(".reason.txt")
            )
        assert here == self.sent

    def teardown(self):
        if not hasattr(self, "store"):
            return
        while self.growing:
            name = min(self.growing)
            whole = self.growing.pop(name)
            self.store.append(name, whole[len(self.store.inbox[name][1]) :])
            self.sent[whole] += 1
        self.store.tick(QUIET_SECONDS * 3)
        self.look(None, dies_after_import=False)
        good = {content for content in self.sent if not content.startswith(BAD)}
        assert set(self.imported) == good
        assert not [name for name in self.store.inbox if not name.endswith(".done")]
        assert all(content.startswith(BAD) for content in self.failed_contents())

    def failed_contents(self):
        return [
            content
            for name, content in self.store.folders["failed"].items()
            if content and not name.endswith(".reason.txt")
        ]


TestInbox = Inbox.TestCase
TestInbox.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
