"""Stages 500 and 600 over a real database: decided by the stored board, written once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import attrs
import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity import MerchantId
from domain.money import Tenge
from domain.pricing import Action, Decision, Reason
from domain.shop import OwnListing, Repriced, RuleLine, Store
from storage import listings, outbox, rules
from storage.database import in_transaction, psycopg_connection
from storage.writer import BatchWriter
from tests.building import ALMATY, ASTANA, KETTLE, LAMP, board, incomplete, offer, refresh
from tests.pipelines.leading import OURS, SISTER, Pipeline, have, leading, line


@pytest.fixture
async def pipeline(database: str, writer: BatchWriter) -> AsyncIterator[Pipeline]:
    """A kettle of ours, not below 9,000."""
    async with leading(database, writer) as pipeline:
        yield pipeline


async def test_a_board_with_our_listing_leaves_a_pending_intention(pipeline: Pipeline) -> None:
    [decided] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    assert (decided.decision.action, decided.decision.price) == (Action.SET, 9_499)
    assert pipeline.intentions == [(9_499, "pending")]
    assert pipeline.decisions == [("set", 9_499, "undercut")]
    assert +pipeline.stats == {"decided/set": 1, "outbox/decisions": 1, "outbox/intentions": 1}


async def test_the_whole_decision_can_be_read_again(pipeline: Pipeline) -> None:
    [decided] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    [row] = pipeline.rows("SELECT story FROM decisions")
    assert msgspec.convert(row["story"], Decision) == decided.decision


async def test_an_unchanged_board_adds_no_row(pipeline: Pipeline) -> None:
    for minutes in (0, 15, 30):
        await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500), minutes=minutes))
    assert pipeline.intentions == [(9_499, "pending")]
    assert len(pipeline.decisions) == 1


async def test_a_newer_decision_supersedes_what_is_pending(pipeline: Pipeline) -> None:
    await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_300), minutes=5))
    assert pipeline.intentions == [(9_499, "superseded"), (9_299, "pending")]


async def test_what_is_pending_is_withdrawn_when_the_price_shall_stay(pipeline: Pipeline) -> None:
    await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    await pipeline.read(board(offer(OURS, 10_000), offer("1", 5_000), minutes=5))
    assert pipeline.intentions == [(9_499, "withdrawn")]
    assert pipeline.decisions[-1] == ("hold", None, "unbeatable")


async def test_a_change_of_the_rule_withdraws_what_it_no_longer_allows(pipeline: Pipeline) -> None:
    await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    have(pipeline.database, line(floor=9_800, ceiling=12_000))
    assert pipeline.intentions == [(9_499, "withdrawn")]


async def test_an_older_board_does_not_overrule_a_newer_one(pipeline: Pipeline) -> None:
    [old] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_300), minutes=5))
    await pipeline.write(old)
    assert pipeline.intentions[-1] == (9_299, "pending")


async def test_a_decision_by_a_rule_that_holds_no_more_is_left_out(pipeline: Pipeline) -> None:
    [old] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    have(pipeline.database, line(floor=9_800, ceiling=12_000))
    await pipeline.write(attrs.evolve(old, board_at=old.board_at.replace(year=2027)))
    assert pipeline.intentions == [(9_499, "withdrawn")]


async def test_a_board_of_others_and_an_incomplete_one_decide_nothing(pipeline: Pipeline) -> None:
    assert await pipeline.read(board(offer(OURS, 10_000), product=LAMP)) == ()
    assert await pipeline.read(incomplete(offer(OURS, 10_000), offer("1", 9_500), total=9)) == ()
    assert (pipeline.decisions, pipeline.intentions) == ([], [])


async def test_a_board_on_which_we_are_not_sets_nothing(pipeline: Pipeline) -> None:
    [decided] = await pipeline.read(board(offer("1", 9_500)))
    assert (decided.decision.action, decided.decision.reason) == (Action.OFF, Reason.NOT_OFFERED)
    assert pipeline.intentions == []


async def test_each_city_has_its_own_rule_and_its_own_price(pipeline: Pipeline) -> None:
    have(pipeline.database, line(city=ASTANA, floor=9_600))
    offers = (offer(OURS, 10_000), offer("1", 9_500), offer("2", 9_900))
    read = refresh(board(*offers), board(*offers, city=ASTANA))
    prices = {one.listing.city: one.decision.price for one in await pipeline.read(read)}
    assert prices == {ALMATY: 9_499, ASTANA: 9_899}


async def test_stores_of_one_owner_never_undercut_each_other(pipeline: Pipeline) -> None:
    have(pipeline.database, line(store=SISTER, floor=9_000))
    read = board(offer(OURS, 10_000), offer(SISTER, 9_500), offer("1", 9_900))
    prices = {one.listing.store: one.decision.price for one in await pipeline.read(read)}
    assert prices == {OURS: 9_899, SISTER: 9_899}


async def test_a_store_of_another_owner_is_a_rival_like_any_other(pipeline: Pipeline) -> None:
    other = Store(id=MerchantId(SISTER), owner="somebody else")
    have(pipeline.database, line(store=SISTER, floor=9_000), stores=[other])
    decided = await pipeline.read(board(offer(OURS, 10_000), offer(SISTER, 9_500)))
    prices = {one.listing.store: one.decision.price for one in decided}
    assert prices == {OURS: 9_499, SISTER: 9_999}


async def test_a_listed_sister_is_left_aside(pipeline: Pipeline) -> None:
    told = Store(id=MerchantId(OURS), sisters=frozenset({MerchantId("1")}))
    have(pipeline.database, line(floor=9_000, ceiling=12_000), stores=[told])
    [decided] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    assert decided.decision.price == 12_000


async def test_todays_moves_of_our_live_price_are_counted(pipeline: Pipeline) -> None:
    have(pipeline.database, line(floor=9_000, ceiling=12_000, max_change_day_bp=500))
    for minutes, price in enumerate((10_000, 9_900, 10_000)):
        await pipeline.read(board(offer(OURS, price), offer("1", 12_500), minutes=minutes))
    [decided] = await pipeline.read(board(offer(OURS, 9_900), offer("1", 9_600), minutes=9))
    assert decided.listing.moved_today == 300
    assert decided.listing.changed_at == decided.board_at
    assert decided.decision.reason is Reason.MAX_CHANGE_DAY


async def test_it_is_known_why_our_price_stands(pipeline: Pipeline) -> None:
    [first] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    assert first.listing.changed_for is None
    [second] = await pipeline.read(board(offer(OURS, 9_499), offer("1", 9_500), minutes=1))
    assert second.listing.changed_for is Reason.UNDERCUT
    [third] = await pipeline.read(board(offer(OURS, 9_700), offer("1", 9_500), minutes=2))
    assert third.listing.changed_for is None


async def test_yesterdays_moves_are_not_todays(pipeline: Pipeline) -> None:
    await pipeline.read(board(offer(OURS, 10_000), offer("1", 12_500)))
    await pipeline.read(board(offer(OURS, 9_000), offer("1", 12_500), minutes=1))
    later = board(offer(OURS, 9_000), offer("1", 12_400), minutes=24 * 60)
    [decided] = await pipeline.read(later)
    assert decided.listing.moved_today == 0


async def test_one_typing_error_among_two_rivals_makes_nobody_absurd(pipeline: Pipeline) -> None:
    [decided] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500), offer("2", 10)))
    assert (decided.listing.median, decided.decision.price) == (None, 9_499)


async def test_the_median_is_that_of_the_others_of_a_week(pipeline: Pipeline) -> None:
    others = [offer(str(place), 9_500 + place) for place in range(5)]
    await pipeline.read(board(offer(OURS, 10_000), *others))
    [decided] = await pipeline.read(board(offer(OURS, 10_000), offer("0", 9_500), minutes=1))
    assert decided.listing.median == 9_502
    days = 8 * 24 * 60
    [decided] = await pipeline.read(board(offer(OURS, 10_000), offer("0", 9_500), minutes=days))
    assert decided.listing.median is None


async def test_a_listing_that_is_imported_during_a_crawl_is_decided_on(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.reprice._KNOWN_FOR", 0.0)
    monkeypatch.setattr(pipeline._reprice, "_known_until", 0.0)
    new = OwnListing(store=MerchantId(OURS), sku="lamp", kaspi_id=LAMP, stock=0)
    listings.put(pipeline.database, [new], "listings.csv")
    have(pipeline.database, line("lamp", floor=100))
    [decided] = await pipeline.read(board(offer(OURS, 200), product=LAMP))
    assert decided.decision.reason is Reason.OUT_OF_STOCK


async def test_boards_that_come_together_are_decided_on_together(pipeline: Pipeline) -> None:
    have(pipeline.database, line("lamp", floor=100), line(city=ASTANA, floor=9_000))
    await pipeline._reprice._learn()
    offers = (offer(OURS, 10_000), offer("1", 9_500))
    readings = [
        board(*offers),
        board(*offers, city=ASTANA),
        board(*offers, product=LAMP),
    ]
    decided = await asyncio.gather(*map(pipeline.read, readings))
    assert [one.decision.price for [one] in decided] == [9_499] * 3
    assert pipeline.intentions == [(9_499, "pending")] * 3


async def test_a_rule_that_cannot_be_used_is_named_and_the_rest_goes_on(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    have(pipeline.database, line(floor=9_000, strategy="follow"), line(store=SISTER, floor=9_000))
    read = board(offer(OURS, 10_000), offer(SISTER, 9_900), offer("1", 9_500))
    assert [one.listing.store for one in await pipeline.read(read)] == [SISTER]
    assert "kettle of 700: its rule rule.follow: missing" in caplog.text
    assert pipeline.stats["decided/unusable_rules"] == 1


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param({"price": Tenge(8_999)}, id="below the rule's floor"),
        pytest.param({"price": Tenge(12_001)}, id="outside the allowed prices"),
        pytest.param({"price": Tenge(8_000), "pairs": ((1, 99_000),)}, id="with forged bounds"),
    ],
)
async def test_the_database_refuses_a_price_that_the_rule_forbids(
    pipeline: Pipeline, caplog: pytest.LogCaptureFixture, forged: dict[str, Any]
) -> None:
    """The last guard, should the engine itself be wrong; what comes with it is written."""
    have(pipeline.database, line("lamp", floor=100))
    await pipeline._reprice._learn()
    [good] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500), product=LAMP))
    [bad] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    later = board(minutes=9).checked_at
    wrong = msgspec.structs.replace(bad.decision, **forged)
    raised = msgspec.structs.replace(good.decision, price=Tenge(9_498))
    await pipeline.write(
        attrs.evolve(bad, decision=wrong, board_at=later),
        attrs.evolve(good, decision=raised, board_at=later),
    )
    assert "The database refused" in caplog.text
    assert pipeline.stats["outbox/refused"] == 1
    pending = [price for price, state in pipeline.intentions if state == "pending"]
    assert sorted(pending) == [9_498, 9_499]


async def test_without_floor_and_cost_nothing_can_be_intended(pipeline: Pipeline) -> None:
    [decided] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    have(pipeline.database, line(ceiling=12_000))
    [held] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500), minutes=1))
    assert held.decision.reason is Reason.NO_FLOOR_NO_COST
    forged = attrs.evolve(held, decision=decided.decision, board_at=board(minutes=2).checked_at)
    await pipeline.write(forged)
    assert pipeline.stats["outbox/refused"] == 1
    assert [state for _, state in pipeline.intentions] == ["withdrawn"]


async def test_the_first_move_after_a_quiet_time_counts(pipeline: Pipeline) -> None:
    await pipeline.read(board(offer(OURS, 10_000), offer("1", 12_500)))
    later = 40 * 24 * 60
    [decided] = await pipeline.read(board(offer(OURS, 9_000), offer("1", 12_500), minutes=later))
    assert decided.listing.moved_today == 1_000
    assert decided.listing.changed_at == decided.board_at


@pytest.mark.parametrize(
    ("minutes", "moved"),
    [
        pytest.param(12 * 60 - 1, 100, id="a minute before midnight in Almaty"),
        pytest.param(12 * 60 + 1, 0, id="a minute after it"),
    ],
)
async def test_a_day_ends_at_midnight_in_almaty(
    pipeline: Pipeline, minutes: int, moved: int
) -> None:
    """START is noon there, seven hours in Greenwich."""
    await pipeline.read(board(offer(OURS, 9_900), offer("1", 12_500)))
    await pipeline.read(board(offer(OURS, 10_000), offer("1", 12_500), minutes=1))
    [decided] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 12_400), minutes=minutes))
    assert decided.listing.moved_today == moved


async def test_a_board_of_which_a_newer_one_is_held_decides_nothing(pipeline: Pipeline) -> None:
    newer = board(offer(OURS, 10_000), offer("1", 9_500), minutes=30)
    await pipeline.read(newer)
    await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500), minutes=40))
    older = board(offer(OURS, 10_000), offer("1", 9_101), minutes=35)
    repriced = await pipeline._reprice.process_item(older)
    assert not isinstance(repriced, Repriced)
    assert pipeline.intentions == [(9_499, "pending")]


async def test_a_decision_on_an_older_board_than_is_held_is_not_written(
    pipeline: Pipeline,
) -> None:
    [old] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500), minutes=30))
    cheaper = msgspec.structs.replace(old.decision, price=Tenge(9_100))
    await pipeline.write(attrs.evolve(old, decision=cheaper, board_at=board(minutes=15).checked_at))
    assert pipeline.intentions == [(9_499, "pending")]


async def test_an_article_that_moves_to_another_card_leaves_its_price_behind(
    pipeline: Pipeline,
) -> None:
    [old] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    moved = OwnListing(store=MerchantId(OURS), sku="kettle", kaspi_id=LAMP)
    listings.put(pipeline.database, [moved], "listings.csv")
    assert pipeline.intentions == [(9_499, "withdrawn")]
    await pipeline.write(attrs.evolve(old, board_at=board(minutes=9).checked_at))
    assert pipeline.intentions == [(9_499, "withdrawn")]


async def test_of_two_articles_under_one_card_the_first_is_priced(pipeline: Pipeline) -> None:
    twin = RuleLine(store=MerchantId(OURS), sku="twin", said={"floor": 9_800}, kaspi_id=KETTLE)
    have(pipeline.database, twin)
    decided = await pipeline.read(board(offer(OURS, 10_000), offer("1", 9_500)))
    assert [one.listing.sku for one in decided] == ["kettle"]


async def test_a_rule_that_ends_while_decisions_are_written_leaves_no_price_behind(
    pipeline: Pipeline, engine: AsyncEngine
) -> None:
    """The change of the rules waits until the decisions are there, and withdraws them."""
    have(pipeline.database, line(city=ALMATY, floor=8_000))
    [decided] = await pipeline.read(board(offer(OURS, 10_000), offer("1", 5_000)))
    [change, *_] = rules.changes(pipeline.database)
    lower = msgspec.structs.replace(
        decided.decision, action=Action.SET, price=Tenge(8_499), pairs=((8_000, 9_000),)
    )
    late = attrs.evolve(decided, decision=lower, board_at=board(minutes=1).checked_at)
    async with engine.begin() as connection:
        await outbox.write((await psycopg_connection(connection)).cursor(), [late])
        undone = asyncio.create_task(asyncio.to_thread(rules.undo, pipeline.database, change.id))
        await asyncio.sleep(0.3)
        assert not undone.done()
    await undone
    assert pipeline.intentions == [(8_499, "withdrawn")]


async def test_what_is_forgotten_is_not_what_stands(
    pipeline: Pipeline, engine: AsyncEngine
) -> None:
    for minutes, theirs in ((0, 9_500), (10, 9_400), (20, 9_300)):
        await pipeline.read(board(offer(OURS, 10_000), offer("1", theirs), minutes=minutes))
    at = board(minutes=15).checked_at
    forgotten = await in_transaction(engine, lambda cursor: outbox.forget(cursor, at))
    assert forgotten == 1
    assert [price for _, price, _ in pipeline.decisions] == [9_399, 9_299]
    assert pipeline.intentions[-1] == (9_299, "pending")
