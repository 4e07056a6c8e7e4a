"""The engine: golden situations, promises over very many, the market it must not shake."""
