"""The prescribed network in PyTorch, for the comparison of speed."""

from torch import nn
from torch.nn.functional import scaled_dot_product_attention


class Attention(nn.Module):
    """Maps X (n, T, G) to logits (n,), as `build_attention_model` does."""

    def __init__(self, n_genes, num_heads=2, key_dim=5, dropout_rate=0.1):
        super().__init__()
        width = num_heads * key_dim
        self.num_heads = num_heads
        self.query = nn.Linear(n_genes, width)
        self.key = nn.Linear(n_genes, width)
        self.value = nn.Linear(n_genes, width)
        self.output = nn.Linear(width, n_genes)
        self.dropout = nn.Dropout(dropout_rate)
        self.normalised = nn.LayerNorm(n_genes, eps=1e-6)
        self.probability = nn.Linear(n_genes, 1)

    def forward(self, X):
        heads = (
            part(X).unflatten(2, (self.num_heads, -1)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )  # each (n, heads, T, key_dim)
        x = scaled_dot_product_attention(*heads)
        x = self.output(x.transpose(1, 2).flatten(2))  # (n, T, G)
        x = self.normalised(self.dropout(x)).mean(dim=1)  # (n, G)
        return self.probability(self.dropout(x)).squeeze(1)
