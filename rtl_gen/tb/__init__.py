"""Files that every testbench holds. They import nothing of this package: users take them along."""
