-- Chronicles have a filetype of their own, since SageMath's files end in .sage too.
vim.filetype.add({
  pattern = {
    ['.*/[^/]+%.[^/]+%.sage'] = 'sage-chronicle',
    ['.*/%.sage/.*%.sage'] = 'sage-chronicle',
  },
})
vim.lsp.enable('sage')
