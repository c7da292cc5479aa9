"""Samples on the path, and a model that is closed. Refuses mocks of HTTP: requests pass through real sockets."""

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from specloom.llm.anthropic_model import AnthropicModel

NewModel = Callable[..., AnthropicModel]


@pytest.fixture
async def new_model() -> AsyncIterator[NewModel]:
    """Makes models that are closed when the test ends."""
    made: list[AnthropicModel] = []

    def make(base_url: str, **settings: Any) -> AnthropicModel:
        fields: dict[str, Any] = {"api_key": "sk-test-key-0123456789", "base_url": base_url} | settings
        model = AnthropicModel(**fields)
        made.append(model)
        return model

    yield make
    for model in made:
        await model.close()
