# The public names of mappo_verify.campaigns, in reading order; see the rules in ../__init__.pyi.

from .run import run_campaign as run_campaign
from .report import read_campaign as read_campaign, CampaignReport as CampaignReport, ClaimCount as ClaimCount
from .merge import merge_campaigns as merge_campaigns
