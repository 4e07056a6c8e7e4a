"""What nobody knows for sure about the seller's side, and what goes wrong there: every switch."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=31 * 86_400)]
Count = Annotated[int, Meta(ge=1)]


class SellerSwitches(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How the seller's side behaves. What is left out keeps its default.

    The first group is disputed: sources contradict each other or say nothing, so that whoever
    builds on the seller's side has to be right in each position.
    """

    # --- Disputed ------------------------------------------------------------------------------
    stock_count: Annotated[
        Literal["harmless", "unspecified", "always"],
        Meta(
            description="which stockCount of a push takes the item off sale: none, one where the "
            "list does not say stockSpecified, any"
        ),
    ] = "unspecified"
    single_restores: Annotated[
        bool, Meta(description="whether `process` brings a removed item back; the batch always can")
    ] = False
    price_needed: Annotated[
        bool, Meta(description="whether cityPrices without `price` are accepted and then ignored")
    ] = False
    unnamed_cities: Annotated[
        Literal["kept", "lost"],
        Meta(description="what becomes of the price of a city that cityPrices do not name"),
    ] = "kept"
    gone_session: Annotated[
        Literal["unauthorized", "redirect"],
        Meta(description="what a gone session meets: 401, or 302 to the way in"),
    ] = "unauthorized"
    auth_version: Annotated[
        bool, Meta(description="whether a cabinet's call without x-auth-version meets 403")
    ] = True
    session_minutes: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="how long mc-sid lives; null: until it is ended by hand"),
    ] = None
    omitted: Annotated[
        Literal["kept", "withdrawn"],
        Meta(description="what becomes of an item on sale that a price list leaves out"),
    ] = "kept"
    bad_rows: Annotated[
        Literal["refuse_list", "skip"],
        Meta(description="what a wrong offer in a list costs; a wrong order always costs the list"),
    ] = "refuse_list"
    long_skus: Annotated[
        Literal["refused", "taken"],
        Meta(description="whether a sku of more than 20 characters or of other signs is a bad row"),
    ] = "refused"
    empty_point: Annotated[
        Literal["dropped", "no"],
        Meta(description="what an empty cell below PP1…PP5 means for an item at that point"),
    ] = "dropped"
    pull_minutes: Annotated[
        Annotated[float, Meta(gt=0)], Meta(description="how often a list is pulled by its address")
    ] = 60
    changed_by: Annotated[
        Literal["hash", "etag", "modified", "nothing"],
        Meta(
            description="how a pull knows that nothing changed: the bytes' hash, If-None-Match, "
            "If-Modified-Since, or not at all"
        ),
    ] = "hash"
    list_megabytes: Annotated[
        Count | None, Meta(description="the longest list that is taken; null: any")
    ] = None
    changes_per_window: Annotated[
        Count | None,
        Meta(description="changes a store may make in a window (250 is told); null: any number"),
    ] = None

    # --- Limits and delays ---------------------------------------------------------------------
    window_seconds: Annotated[Seconds, Meta(description="that window")] = 1800
    per_second: Annotated[
        Count | None, Meta(description="writes an account may send in any second; null: any number")
    ] = 2
    block_seconds: Annotated[Seconds, Meta(description="how long more than that costs: 429")] = 1800
    apply_seconds: Annotated[
        Seconds, Meta(description="from accepted to applied, by the sandbox's clock")
    ] = 570
    clock: Annotated[
        Literal["real", "sandbox"],
        Meta(description="by which clock limits, blocks, sessions and codes are counted"),
    ] = "real"

    # --- What goes wrong -----------------------------------------------------------------------
    lost: Annotated[Share, Meta(description="share of accepted changes that never apply")] = 0
    delayed: Annotated[Share, Meta(description="share that applies late")] = 0
    delayed_seconds: Annotated[Seconds, Meta(description="how much later")] = 3600
    partial: Annotated[
        Share,
        Meta(description="share of which only the first city's price applies, or no price at all"),
    ] = 0
    seed: Annotated[int, Meta(description="which ones: the same seed, the same ones")] = 0

    # --- Signing in ----------------------------------------------------------------------------
    mail_code: Annotated[bool, Meta(description="whether a password brings a code by mail")] = False
    code_pause: Annotated[
        Seconds, Meta(description="between two codes of one account; sooner is MFA_SEND_FLOOD")
    ] = 60
    codes_an_hour: Annotated[
        Count, Meta(description="more codes than that are MFA_CODE_TOO_MANY_SEND")
    ] = 10


def read_seller_switches(body: bytes) -> SellerSwitches:
    """Understand what is set. Raises msgspec.DecodeError with what cannot be so."""
    return msgspec.json.decode(body, type=SellerSwitches)


def explained_switches() -> Mapping[str, Mapping[str, object]]:
    """Every switch with what it is about and its default."""
    properties = msgspec.json.schema(SellerSwitches)["$defs"]["SellerSwitches"]["properties"]
    return {
        name: {"about": told["description"], "default": told["default"]}
        for name, told in properties.items()
    }
