"""Tells a broker of the house once a minute how the site is (`app.homeassistant`): the one that is set or named."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import findings
from app.homeassistant import OFFLINE, ONLINE, State, Topics, announced, told
from app.named_broker import NamedBroker
from dashcam import config
from dashcam.catalog import devices, watching, work
from dashcam.config.telling import MqttSettings
from dashcam.upkeep import planning

if TYPE_CHECKING:
    from paho.mqtt.client import Client

    from app.system import System

LOOK_S = 60.0
MOST_PAUSE_S = 120
"""Between two attempts to reach a broker that is away."""
LAST_WORD_S = 2.0
log = logging.getLogger("dashcam")


class Broker:
    """One per main server."""

    def __init__(self, here: "System") -> None:
        self.here = here
        self.reached = False
        """Whether it has let the main server in since it is the one to be told."""
        self.trouble: str | None = None
        """Why nobody hears anything, in a sentence; None while all is well."""
        self.said: dict[str, str] = {}
        """What Home Assistant was told of since the broker was reached: said again only when it has changed."""

    async def go_on(self) -> None:
        """Until cancelled; from when another broker is to be told, that one is."""
        while True:
            change, named = self.here.settled.next(), self.named()
            telling = asyncio.create_task(self.keep_telling(*named))
            try:
                while self.named() == named:
                    await change.wait()
                    change = self.here.settled.next()
                self.reached, self.trouble = False, None  # nothing is known of the other
            finally:
                telling.cancel()
                await asyncio.wait([telling])  # whoever cancels this meanwhile is heard, too
            if not telling.cancelled():
                telling.result()

    def named(self) -> tuple[MqttSettings, NamedBroker | None]:
        return self.here.site.mqtt, self.here.broker_named

    async def keep_telling(self, settings: MqttSettings, named: NamedBroker | None) -> None:
        """Until cancelled."""
        if settings.host is None:
            return
        self.settings, self.topics = settings, Topics(settings)
        reached, loop = asyncio.Event(), asyncio.get_running_loop()
        try:
            client = await asyncio.to_thread(self.client, named, lambda: loop.call_soon_threadsafe(reached.set))
        except config.ConfigError as error:
            self.note(str(error))
            return
        client.connect_async(settings.host, settings.port)
        client.loop_start()
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reached.wait(), LOOK_S)
                    reached.clear()
                    self.said.clear()
                if client.is_connected():
                    await self.tell(client)
        finally:
            await asyncio.to_thread(self.stop, client)

    def client(self, named: NamedBroker | None, reached: Callable[[], object]) -> "Client":
        """That in a thread of its own reaches the broker, and does so again; ``reached`` is called then."""
        from paho.mqtt.client import Client  # only for who has a broker
        from paho.mqtt.enums import CallbackAPIVersion

        where = f"{self.settings.host}:{self.settings.port}"
        client = Client(CallbackAPIVersion.VERSION2, client_id=f"dashcam-{self.topics.identity}")

        def answered(_client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
            if code.is_failure:
                self.note(f"The MQTT broker at {where} does not let the main server in ({code}).")
                return
            self.note(None)
            self.reached = True
            client.publish(self.topics.here, ONLINE, qos=1, retain=True)
            reached()

        def away(*_: Any) -> None:
            self.note(self.trouble or f"The MQTT broker at {where} does not answer.")

        def left(_client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
            if code.is_failure:
                away()

        client.on_connect, client.on_connect_fail, client.on_disconnect = answered, away, left
        client.will_set(self.topics.here, OFFLINE, qos=1, retain=True)
        client.reconnect_delay_set(max_delay=MOST_PAUSE_S)
        if (login := config.mqtt_login() if named is None else named.login) is not None:
            user, _, password = login.partition(":")
            client.username_pw_set(user, password)
        if self.settings.tls:
            client.tls_set()
        return client

    def note(self, trouble: str | None) -> None:
        """Logged when it begins; the doctor says it for as long as it lasts (`app.findings.broker`)."""
        if trouble is not None and trouble != self.trouble:
            log.warning(trouble)
        self.trouble = trouble

    async def tell(self, client: "Client") -> None:
        try:
            state = await self.look()
        except SQLAlchemyError as error:
            log.warning("the MQTT broker is told nothing: the database does not answer (%s)", error)
            return
        for topic, content in announced(self.topics, self.here.site.server.url, state.rooms, state.devices):
            words = json.dumps(content)
            if self.said.get(topic) != words:
                client.publish(topic, words, qos=1, retain=True)
                self.said[topic] = words
        for topic, content in told(self.topics, state):
            client.publish(topic, json.dumps(content), qos=1, retain=True)

    async def look(self) -> State:
        here, now = self.here, datetime.now(UTC)
        return State(
            now=now,
            backlog=await here.recent(work.backlog),
            oldest=await here.ask(findings.oldest_waiting),
            newest_backup=(await asyncio.to_thread(here.upkeep.told)).newest,
            retention=here.site.retention.enabled,
            due_bytes=await here.recent(due_bytes),
            rooms=here.caretaker.rooms,
            devices=await here.ask(partial(devices.lines, now=now)),
            found=here.caretaker.found,
            watched=await here.ask(lambda session: watching.last_seen(session, watching.numbers(session, here.site))),
        )

    def stop(self, client: "Client") -> None:
        if client.is_connected():
            last = client.publish(self.topics.here, OFFLINE, qos=1, retain=True)
            with contextlib.suppress(ValueError, RuntimeError):
                last.wait_for_publish(LAST_WORD_S)
        client.disconnect()
        client.loop_stop()


def due_bytes(session: Session) -> int | None:
    """Of the latest plan. It may be long: to be asked through `System.recent`."""
    plans = planning.plans(session, 1)
    return plans[0][1].bytes if plans else None
