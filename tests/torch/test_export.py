"""What is put in ultralytics' place in the network's export gives what ultralytics gives."""

import pytest

torch = pytest.importorskip("torch", reason="the extra gpu is not installed: make test-torch")
pytest.importorskip("ultralytics", reason="the extra gpu is not installed: make test-torch")


@pytest.mark.parametrize("spread", [0.1, 3, 15])
def test_distances_are_those_of_ultralytics(spread: float) -> None:
    from ultralytics.nn.modules.block import DFL

    from training.detector.export import Distances

    bins = spread * torch.randn(2, 64, 50, generator=torch.Generator().manual_seed(5))
    assert torch.allclose(Distances(16)(bins), DFL(16)(bins), atol=1e-4)
