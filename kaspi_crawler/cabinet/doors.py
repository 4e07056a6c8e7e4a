"""Where the cabinet and its accounts are, and who opens them."""

import json

from scrapy.settings import BaseSettings

from domain.site import is_on_loopback
from kaspi_crawler.arguments import BadArgument
from partners.kaspi.cabinet_login import Account, Doors


def doors(settings: BaseSettings) -> Doors:
    """The cabinet's addresses. Raises BadArgument when a replica and the real thing are mixed."""
    found = {name: str(settings[name]).rstrip("/") for name in ("KASPI_URL", "MC_URL", "IDMC_URL")}
    if len({is_on_loopback(address) for address in found.values()}) > 1:
        told = ", ".join(f"{name}={address}" for name, address in found.items())
        raise BadArgument(
            f"some of {told} are replicas on this machine and some are not: their goods and prices "
            "would be mixed. Set all three, or none"
        )
    return Doors(cabinet=found["MC_URL"], accounts=found["IDMC_URL"])


def told(account: Account) -> str:
    """An account as it is kept, encrypted; `account_of` reads it."""
    if account.phone:
        return json.dumps({"phone": account.phone})
    return json.dumps({"email": account.email, "password": account.password})


def account_of(credentials: str) -> Account:
    """The account that was kept."""
    return Account(**json.loads(credentials))


def name_of(account: Account) -> str:
    """Whose account it is: what the marketplace knows it by."""
    return account.phone or account.email.casefold()
