"""The network while it is trained."""

from typing import Any

import torch
from ultralytics.nn.tasks import DetectionModel


class Network(DetectionModel):
    """Computes in bfloat16 where the processor does that quicker; what the losses see is float32."""

    def _predict_once(self, x: torch.Tensor, *args: Any, **options: Any) -> Any:
        if not (self.training and x.device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()):
            return super()._predict_once(x, *args, **options)
        with torch.autocast("cpu", torch.bfloat16):
            return as_float(super()._predict_once(x.to(memory_format=torch.channels_last), *args, **options))


def as_float(answers: Any) -> Any:
    """Every tensor inside, whatever ultralytics packs them in."""
    if isinstance(answers, dict):
        return {name: as_float(part) for name, part in answers.items()}
    if isinstance(answers, list | tuple):
        return type(answers)(as_float(part) for part in answers)
    return answers.float() if isinstance(answers, torch.Tensor) else answers
