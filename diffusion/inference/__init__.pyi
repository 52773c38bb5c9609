from .feeds import Elasticity as Elasticity
from .feeds import calibrate_feed as calibrate_feed
from .feeds import follower_elasticity as follower_elasticity
from .funnels import EtaFit as EtaFit
from .funnels import FunnelFit as FunnelFit
from .funnels import fit_attention as fit_attention
from .funnels import fit_funnel as fit_funnel
from .rates import RateFit as RateFit
