"""Who answers: networks, n-gram and other baselines, pretrained models; their training and their scores."""
