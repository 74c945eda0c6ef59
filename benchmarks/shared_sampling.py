"""Twenty visitors who sample one model at the same moment, against one: throughput through the real API.

    python benchmarks/shared_sampling.py --model mnist-vae

The visitors are threads of a process of their own; each has its own ``gradio_client`` connection and asks again as soon
as it is answered. All requests have seeds of their own, so nothing comes from the cache. One visitor and twenty are
measured in turns; the ratio is that of their median throughputs. With ``--http`` the visitors speak bare HTTP, which
takes them a tenth of the library's time: what is then measured is the server alone.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

Visit = Callable[[int], bool]


def library(url: str, model: str, n: int) -> Visit:
    """A visitor whose program uses gradio_client."""
    from gradio_client import Client

    client = Client(url, ssl_verify=False, verbose=False, analytics_enabled=False)
    return lambda seed: client.predict(model, seed, {"n": n}, api_name="/generate")["view"] == "Images"


def http(url: str, model: str, n: int) -> Visit:
    """A visitor whose program speaks HTTP."""
    import httpx

    client = httpx.Client(base_url=url, timeout=120)

    def visit(seed: int) -> bool:
        body = {"data": [model, seed, {"n": n}]}
        event = client.post("/gradio_api/call/generate", json=body).raise_for_status().json()["event_id"]
        text = client.get(f"/gradio_api/call/generate/{event}").raise_for_status().text
        data = [line[6:] for line in text.splitlines() if line.startswith("data: [")]
        return bool(data) and json.loads(data[0])[0]["view"] == "Images"

    return visit


def crowd(asked: argparse.Namespace, url: str, answers: Any) -> None:
    """The visitors' process: puts (visitors, requests per second, failures) for each measurement."""
    arrive = http if asked.http else library
    visits = [arrive(url, asked.model, asked.pictures) for _ in range(asked.visitors)]
    seed = 10_000

    def measure(visitors: int, requests: int) -> tuple[int, float, int]:
        nonlocal seed
        started = time.perf_counter()
        with ThreadPoolExecutor(visitors) as pool:
            good = list(pool.map(lambda i: visits[i % visitors](seed + i), range(requests)))
        seed += requests
        return visitors, requests / (time.perf_counter() - started), good.count(False)

    measure(asked.visitors, 2 * asked.visitors)  # warm
    for _ in range(asked.rounds):
        answers.put(measure(1, 10))
        answers.put(measure(asked.visitors, 3 * asked.visitors))
    answers.put(None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mnist-vae")
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--http", action="store_true")
    asked = parser.parse_args()

    import gradio as gr

    from playground.backends.local import Local
    from playground.ui.api import add_endpoints, app_kwargs

    backend = Local()
    with gr.Blocks(analytics_enabled=False) as page:
        add_endpoints(backend)
    page.queue(max_size=64)
    options = {"prevent_thread_lock": True, "quiet": True, "run_history": False, "app_kwargs": app_kwargs()}
    _, url, _ = page.launch(server_name="127.0.0.1", **options)
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=crowd, args=(asked, url, answers))
    process.start()
    rates: dict[int, list[float]] = {1: [], asked.visitors: []}
    failed = 0
    while (answer := answers.get(timeout=300)) is not None:
        rates[answer[0]].append(answer[1])
        failed += answer[2]
    process.join()
    alone, together = (statistics.median(rates[v]) for v in (1, asked.visitors))
    passes = vars(backend.model(asked.model))["sample"].passes
    requests = asked.rounds * (10 + 3 * asked.visitors) + 2 * asked.visitors
    print(f"{asked.model}, {asked.pictures} pictures a request: {requests} requests in {passes} forward passes")
    print(f"1 visitor: {alone:.1f} requests/s; {asked.visitors} visitors: {together:.1f} requests/s; {failed} failed")
    print(f"throughput ratio: {together / alone:.2f} (held to at least 2)")
    page.close(verbose=False)


if __name__ == "__main__":
    main()
