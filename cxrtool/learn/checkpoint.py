"""The files of a run while it is trained: what it goes on from, its history, its best weights."""

import os
from typing import Any

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import json_writer, run_folder, run_record
from cxrtool.files.run_record import About
from cxrtool.learn import history, learner_state
from cxrtool.learn.training_loop import Learner
from cxrtool.learn.training_state import TrainingState


def _other_run(what: str) -> CxrtoolError:
    remedy = "Name another folder, or start from the beginning."
    return CxrtoolError(what, remedy, settings=["folder", "force"])


class Checkpoint:
    """The files of one run. Of several processes, the first alone writes."""

    def __init__(self, folder: str, writes: bool) -> None:
        self.folder, self.writes = folder, writes

    def read(self, key: str) -> tuple[TrainingState, dict[str, Any]]:
        """Read what there is to go on from: the state and its tensors; both are empty of a new run.

        A folder that holds a run of another key is refused.
        """
        last = run_folder.read_last(self.folder)
        if last is None:
            if os.path.exists(self._path(run_folder.ABOUT)):
                what = f"{self.folder}: holds a run already"
                raise _other_run(what)
            return TrainingState(), {}
        record, tensors = last
        if record.get("key") != key:
            what = f"{self.folder}: holds a run of other options, data or version"
            raise _other_run(what)
        return TrainingState.of(record), tensors

    def clear(self) -> None:
        """Remove the files of an earlier run that is done again: none of them is of this one."""
        if self.writes:
            run_folder.clear(self.folder)

    def restore(self, learner: Learner, tensors: dict[str, Any]) -> None:
        """Put the tensors back into what learns."""
        try:
            learner_state.restore(learner, tensors)
        except (RuntimeError, ValueError, KeyError, IndexError) as e:
            raise self.damaged("its tensors are not those of the run") from e

    def damaged(self, what: str) -> CxrtoolError:
        """Return the refusal of a state that cannot be of this run."""
        return run_record.damaged(self._path(run_folder.LAST), what)

    def write(self, state: TrainingState, learner: Learner) -> None:
        """Write the state and all that the run needs to go on from it."""
        if self.writes:
            run_folder.write_last(self.folder, state.record(), learner_state.tensors(learner))

    def write_best(self, about: About, learner: Learner, images: bytes | None) -> None:
        """Write the weights of the best epoch, with what is known of them."""
        if self.writes:
            run_folder.write(self.folder, about, learner.network.state_dict(), images)

    def write_history(self, state: TrainingState) -> None:
        """Write history.csv and curves.png."""
        if self.writes:
            history.write(self.folder, state)

    def write_rates(self, state: TrainingState, *, again: bool) -> None:
        """Write rates.csv and rates.png, unless they are there and it is not to be done again."""
        there = all(
            os.path.exists(self._path(name)) for name in (run_folder.RATES, run_folder.RATE_CURVE)
        )
        if self.writes and state.rates and (again or not there):
            history.write_rates(self.folder, state)

    def write_missing(self, state: TrainingState) -> None:
        """Write the files for people again that are gone, or that a run ended before."""
        if not self.writes:
            return
        if not os.path.exists(self._path(run_folder.HISTORY)):
            history.write(self.folder, state)
        elif not os.path.exists(self._path(run_folder.CURVES)):
            history.draw(self.folder, state)
        path = self._path(run_folder.LAST_ABOUT)
        try:
            there = run_record.json_file(path)
        except CxrtoolError:
            there = {}
        if there != state.record():
            json_writer.write(path, state.record())

    def check_best(self) -> None:
        """Refuse to call a run done whose best weights, of an earlier start, cannot be read."""
        try:
            run_folder.read(self.folder).tensors()
        except CxrtoolError as e:
            what = f"{self.folder}: the best weights of the run are gone or damaged"
            raise CxrtoolError(what, "Train it again from the start.", settings=["force"]) from e

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)
