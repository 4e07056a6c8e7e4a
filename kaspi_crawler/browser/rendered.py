"""A rendered page with the state that its scripts built, written where plain pages have it."""

from collections.abc import Mapping

#: Waits for the item at most so many milliseconds, then tells the states as JSON; null is none.
READ_STATE = """async patience => {
  const text = value => {
    try { return value ? JSON.stringify(value) : null } catch { return null }
  };
  const components = () =>
    (typeof BACKEND === "undefined" ? null : BACKEND)?.components ?? {};
  const end = performance.now() + patience;
  while (!components().item?.card && performance.now() < end) {
    await new Promise(wake => setTimeout(wake, 50));
  }
  return {
    "BACKEND.components.item": text(components().item),
    "BACKEND.components.configurator": text(components().configurator),
    "window.digitalData": text(window.digitalData),
  };
}"""


def with_state(page: str, told: Mapping[str, str | None]) -> bytes:
    """The page with a script for each state, behind all others.

    The item comes first and the configurator behind it, as on the storefront's own pages. No text
    within a state can end its script.
    """
    scripts = "".join(_script(name, state) for name, state in told.items() if state)
    before, end, after = page.rpartition("</body>")
    return f"{before}{scripts}{end}{after}".encode()


def _script(name: str, state: str) -> str:
    harmless = state.replace("</", "<\\/")
    return f"<script>{name} = {harmless}</script>"
