--- The window with the task tree of a project. Refuses to draw more than once a tick, and to take the cursor away.
local board = require("specloom.tree.board")
local client = require("specloom.client")
local page = require("specloom.page")
local projection = require("specloom.projection")
local tick = require("specloom.tick")

local M = {}

local SECOND_MS = 1000
-- Of its window beside others; a screen that has no room for two such columns has it above the others.
local NARROWEST, WIDEST = 40, 64

---@class specloom.Tree
---@field connection specloom.Connection
---@field board specloom.Board
---@field ids table<string, true> tasks and specs that read otherwise since the last tick
---@field shape boolean whether lines came or went
---@field all boolean
---@field due boolean
---@field before integer? the window from which it was opened
local Tree = { soon = tick.soon }
Tree.__index = Tree

---@type table<string, specloom.Tree> by root
local trees = {}

---@param root string
---@return specloom.Tree?
local function of(root)
  local tree = trees[root]
  return tree and vim.api.nvim_buf_is_loaded(tree.board.buf) and tree or nil
end

---@return integer? window the first that shows it in this tab page
function Tree:window()
  local window = vim.fn.bufwinid(self.board.buf)
  return window ~= -1 and window or nil
end

function Tree:draw()
  self.due = false
  local p, view, windows = self.connection.projection, self.board.view, vim.fn.win_findbuf(self.board.buf)
  if not p or #windows == 0 or of(self.connection.root) ~= self then
    self.all = true
    return
  end
  local width = vim.api.nvim_win_get_width(windows[1])
  local all = self.all or width ~= view.width
  view.width, view.now = width, os.time()
  if all then
    self.board:renew(p)
  else
    self.board:change(p, self.ids, self.shape)
  end
  self.ids, self.shape, self.all = {}, false, false
end

---What is under way shows how long it takes.
function Tree:second()
  local p = self.connection.projection
  if p and (next(p.working) or #p.agents + #p.approvals > 0 or projection.is_active(p)) then
    self.ids = vim.tbl_extend("force", self.ids, p.working)
    self:soon()
  end
end

local function listen()
  listen = function() end
  client.on("snapshot", function(connection)
    local tree = of(connection.root)
    if tree then
      tree.all = true
      tree:soon()
    end
  end)
  client.on("event", function(connection, _, change)
    local tree = of(connection.root)
    if tree then
      tree.ids, tree.shape = vim.tbl_extend("force", tree.ids, change.ids), tree.shape or change.shape
      tree:soon()
    end
  end)
  local function each_second()
    for root in pairs(trees) do
      local tree = of(root)
      if tree then
        tree:second()
      end
    end
  end
  assert(vim.uv.new_timer()):start(SECOND_MS, SECOND_MS, vim.schedule_wrap(each_second))
  vim.api.nvim_create_autocmd("WinResized", {
    callback = function()
      for _, tree in pairs(trees) do
        tree:soon()
      end
    end,
  })
end

local LOOK = {
  options = { wrap = false, foldenable = false, cursorline = true, winfixwidth = true },
  statusline = "Specloom %=? help ",
}

---@param connection specloom.Connection
---@param found? integer a buffer that is to become the tree
---@return specloom.Tree
local function made(connection, found)
  listen()
  local buf = page.buffer("tree" .. connection.root, connection, LOOK, found)
  local view = { width = 40, now = 0, closed = {}, plain = require("specloom.config").get().icons == "ascii" }
  local tree =
    { connection = connection, board = board.new(buf, view), ids = {}, shape = false, all = true, due = false }
  trees[connection.root] = setmetatable(tree, Tree)
  require("specloom.tree.keys").map(tree)
  vim.bo[buf].filetype = "specloom-tree"
  return tree
end

---Shows the tree, and goes there.
---@param connection specloom.Connection
---@return specloom.Tree
function M.open(connection)
  local tree = of(connection.root) or made(connection)
  local window = tree:window()
  if window then
    vim.api.nvim_set_current_win(window)
    return tree
  end
  tree.before = vim.api.nvim_get_current_win()
  local columns = vim.o.columns
  local beside = ("topleft %dvsplit"):format(math.max(NARROWEST, math.min(WIDEST, math.floor(columns * 0.45))))
  vim.cmd(columns >= 2 * NARROWEST and beside or "topleft split")
  vim.api.nvim_win_set_buf(0, tree.board.buf)
  tree.all = true
  tree:draw()
  return tree
end

---Makes a buffer the tree, in whatever windows it is.
---@param connection specloom.Connection
---@param buf integer
function M.take(connection, buf)
  made(connection, buf):draw()
end

---What the cursor is on, where the current window shows a tree.
---@return specloom.Node?
function M.node_here()
  local buf = vim.api.nvim_get_current_buf()
  for _, tree in pairs(trees) do
    if tree.board.buf == buf then
      return tree.board.nodes[vim.api.nvim_win_get_cursor(0)[1]]
    end
  end
end

---Closes the window of the tree in this tab page.
---@param connection specloom.Connection
---@return boolean whether there was one
function M.close(connection)
  local tree = of(connection.root)
  local window = tree and tree:window()
  if window then
    page.close(window)
  end
  return window ~= nil
end

---@param connection specloom.Connection
function M.toggle(connection)
  if not M.close(connection) then
    M.open(connection)
  end
end

return M
