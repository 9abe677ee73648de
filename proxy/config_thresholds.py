"""The thresholds that policies call by name, looked up in the calibration of the classifier."""

from collections.abc import Iterator, Mapping

from compressor.calibration import NamedThresholds, UnknownThreshold
from policies.types import Policy
from proxy.config_problems import Complaint


def named_thresholds(classifier: str, policies: Mapping[str, Policy]) -> NamedThresholds:
    """Return a classifier's thresholds, read already where a policy has one by name.

    Reading takes about as long as reading the classifier's files. Raises UnknownThreshold.
    """
    thresholds = NamedThresholds(classifier)
    for policy in policies.values():
        if policy.threshold is not None:
            thresholds.number(policy.threshold)
    return thresholds


def threshold_complaints(classifier: str, policies: Mapping[str, Policy]) -> Iterator[Complaint]:
    """Yield the policies whose threshold has a name that the classifier's calibration has not."""
    thresholds = NamedThresholds(classifier)
    for name, policy in policies.items():
        try:
            thresholds.number(policy.threshold or 0.0)
        except UnknownThreshold as error:
            yield ("policies", name, "threshold"), str(error)
