"""A measurement along depth gives way to another network's, and to nothing else."""

from __future__ import annotations

from threading import Event

import gradio as gr

from explorer.spec import PRESETS
from explorer.ui.gradients import depth
from explorer.ui.kit import jobs


def test_a_second_answer_for_the_same_network_stops_nothing() -> None:
    page, release = gr.Request(session_hash="page of depth"), Event()

    def work(job: jobs.Job) -> None:
        job.say("measuring")
        release.wait(60)

    depth._MEASURED.put("page of depth", PRESETS["resnet18"])
    events = jobs.run("page of depth", depth.KIND, work)
    try:
        assert next(events) == "measuring"
        job = jobs.running("page of depth", depth.KIND)
        assert job
        depth.outdate_others(page, PRESETS["resnet18"])
        assert not job.stopped
        depth.outdate_others(page, PRESETS["resnet34"])
        assert job.stopped
    finally:
        release.set()
