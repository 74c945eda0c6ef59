"""Twenty visitors who sample one model at the same moment, against one: throughput through the real API.

    python benchmarks/shared_sampling.py --model mnist-vae

Each visitor is a thread with a connection of its own that speaks the API's HTTP protocol; all requests have seeds of their
own, so nothing comes from the cache. One visitor and twenty are measured in turns, and the medians' ratio is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import gradio as gr
import httpx

from playground.backends.local import Local
from playground.ui.api import add_endpoints, app_kwargs

SEEDS = count(1000)


def visit(client: httpx.Client, model: str, n: int) -> bool:
    """One request over the queue, as a page makes it; True if pictures came."""
    body = {"data": [model, next(SEEDS), {"n": n}]}
    event = client.post("/gradio_api/call/generate", json=body).raise_for_status().json()["event_id"]
    text = client.get(f"/gradio_api/call/generate/{event}").raise_for_status().text
    data = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    return any(json.loads(line)[0]["view"] == "Images" for line in data if line.startswith("["))


def throughput(url: str, visitors: int, requests: int, model: str, n: int) -> tuple[float, int]:
    """Requests per second of so many visitors, and how many requests failed."""
    clients = [httpx.Client(base_url=url, timeout=120) for _ in range(visitors)]
    started = time.perf_counter()
    with ThreadPoolExecutor(visitors) as pool:
        good = list(pool.map(lambda i: visit(clients[i % visitors], model, n), range(requests)))
    seconds = time.perf_counter() - started
    for client in clients:
        client.close()
    return requests / seconds, good.count(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mnist-vae")
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    backend = Local()
    with gr.Blocks(analytics_enabled=False) as page:
        add_endpoints(backend)
    page.queue(max_size=64)
    _, url, _ = page.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, run_history=False, app_kwargs=app_kwargs()
    )
    throughput(url, asked.visitors, 2 * asked.visitors, asked.model, asked.pictures)  # warm
    one, many, failed = [], [], 0
    for _ in range(asked.rounds):
        rate, bad = throughput(url, 1, 10, asked.model, asked.pictures)
        one.append(rate)
        rate, worse = throughput(url, asked.visitors, 2 * asked.visitors, asked.model, asked.pictures)
        many.append(rate)
        failed += bad + worse
    passes = vars(backend.model(asked.model))["sample"].passes
    requests = asked.rounds * (10 + 2 * asked.visitors) + 2 * asked.visitors
    alone, together = statistics.median(one), statistics.median(many)
    print(f"{asked.model}, {asked.pictures} pictures a request: {requests} requests in {passes} forward passes")
    print(f"1 visitor: {alone:.1f} requests/s; {asked.visitors} visitors: {together:.1f} requests/s; {failed} failed")
    print(f"throughput ratio: {together / alone:.2f} (held to at least 2)")
    page.close(verbose=False)


if __name__ == "__main__":
    main()
