"""Walk-forward studies of the strategy's settings, on one machine or on a cluster."""
