from .cascade import Cascade as Cascade
from .ensemble import Ensemble as Ensemble
from .estimates import Comparison as Comparison
from .estimates import Estimate as Estimate
from .estimates import SpreadEstimate as SpreadEstimate
