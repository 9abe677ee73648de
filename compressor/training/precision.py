"""Which precision a machine trains in."""

import torch


def bf16_is_faster() -> bool:
    """Whether this machine multiplies faster in bfloat16 than in fp32.

    A GPU that has it does. A processor does from AVX-512 on; with AVX2 alone it was measured at
    1.2 against 70 GFLOP/s.
    """
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return "AVX512" in torch.backends.cpu.get_cpu_capability()
