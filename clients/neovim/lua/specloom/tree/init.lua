--- The window with the task tree of a project. Refuses to draw more than once a tick, and to take the cursor away.
local board = require("specloom.tree.board")
local client = require("specloom.client")
local tick = require("specloom.tick")

local M = {}

local SECOND_MS = 1000

---@class specloom.Tree
---@field connection specloom.Connection
---@field board specloom.Board
---@field ids table<string, true> nodes that read otherwise since the last tick
---@field shape boolean
---@field all boolean
---@field due boolean
---@field before integer? the window from which it was opened
local Tree = {}
Tree.__index = Tree

---@type table<string, specloom.Tree> by root
local trees = {}

---@param root string
---@return specloom.Tree?
local function of(root)
  local tree = trees[root]
  return tree and vim.api.nvim_buf_is_valid(tree.board.buf) and tree or nil
end

---@param buf integer
---@return specloom.Tree?
function M.at(buf)
  for _, tree in pairs(trees) do
    if tree.board.buf == buf then
      return tree
    end
  end
end

---@return integer? window the first that shows it in this tab page
function Tree:window()
  for _, window in ipairs(vim.fn.win_findbuf(self.board.buf)) do
    if vim.api.nvim_win_get_tabpage(window) == vim.api.nvim_get_current_tabpage() then
      return window
    end
  end
end

function Tree:draw()
  self.due = false
  local p = self.connection.projection
  local windows = vim.fn.win_findbuf(self.board.buf)
  if not p or #windows == 0 or not vim.api.nvim_buf_is_valid(self.board.buf) then
    self.all = true
    return
  end
  local view = self.board.view
  local width = vim.api.nvim_win_get_width(windows[1])
  self.all = self.all or width ~= view.width
  view.width, view.now = width, os.time()
  local ids = self.ids
  self.ids = {}
  if self.all then
    self.board:renew(p)
  else
    self.board:change(p, ids, self.shape)
  end
  self.all, self.shape = false, false
end

Tree.soon = tick.soon

---@param change specloom.Change
function Tree:heard(change)
  local p = self.connection.projection ---@cast p -?
  for id in pairs(change.ids) do
    self.ids["task " .. id], self.ids["spec " .. id] = true, true
  end
  if next(change.ids) or change.shape then
    for _, agent in ipairs(p.agents) do
      self.ids["agent " .. agent.sessionId], self.ids["session " .. agent.sessionId] = true, true
    end
  end
  if change.shape then
    self.ids["approvals "], self.ids["agents "] = true, true
  end
  self.ids["project " .. p.id] = true
  if change.shape and p.planning then
    self.ids["planning " .. p.planning.id] = true
  end
  self.shape = self.shape or change.shape
  self:soon()
end

---What is under way shows how long it takes.
function Tree:second()
  local p = self.connection.projection
  if not p or #vim.fn.win_findbuf(self.board.buf) == 0 then
    return
  end
  for _, agent in ipairs(p.agents) do
    self.ids["session " .. agent.sessionId] = true
  end
  for id in pairs(p.working) do
    self.ids["task " .. id] = true
  end
  for _, asked in ipairs(p.approvals) do
    self.ids["approval " .. asked.id] = true
  end
  if p.run and not p.run.endedAt then
    self.ids["project " .. p.id] = true
  end
  if next(self.ids) then
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
      tree:heard(change)
    end
  end)
  local timer = assert(vim.uv.new_timer())
  timer:start(
    SECOND_MS,
    SECOND_MS,
    vim.schedule_wrap(function()
      for _, tree in pairs(trees) do
        if vim.api.nvim_buf_is_valid(tree.board.buf) then
          tree:second()
        end
      end
    end)
  )
  vim.api.nvim_create_autocmd("WinResized", {
    callback = function()
      for _, tree in pairs(trees) do
        tree:soon()
      end
    end,
  })
end

---@param connection specloom.Connection
---@return specloom.Tree
local function made(connection)
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buf, "specloom://tree" .. connection.root)
  vim.bo[buf].buftype, vim.bo[buf].bufhidden, vim.bo[buf].swapfile = "nofile", "hide", false
  vim.bo[buf].modifiable = false
  vim.b[buf].specloom_root = connection.root
  local view = { width = 40, now = os.time(), closed = {}, plain = require("specloom.config").get().icons == "ascii" }
  local tree = setmetatable({ connection = connection, board = board.new(buf, view) }, Tree)
  tree.ids, tree.shape, tree.all, tree.due = {}, false, true, false
  trees[connection.root] = tree
  require("specloom.tree.keys").map(tree)
  vim.bo[buf].filetype = "specloom-tree"
  return tree
end

local OPTIONS = {
  wrap = false,
  number = false,
  relativenumber = false,
  signcolumn = "no",
  foldcolumn = "0",
  foldenable = false,
  list = false,
  spell = false,
  cursorline = true,
  winfixwidth = true,
  statusline = " Specloom %=? help ",
}

---Shows the tree, and goes there.
---@param connection? specloom.Connection by default that of the current buffer
---@return specloom.Tree?
function M.open(connection)
  local why
  if not connection then
    connection, why = client.of()
  end
  if not connection then
    vim.notify(why, vim.log.levels.WARN, { title = "Specloom" })
    return nil
  end
  listen()
  local tree = of(connection.root) or made(connection)
  local window = tree:window()
  if window then
    vim.api.nvim_set_current_win(window)
    return tree
  end
  tree.before = vim.api.nvim_get_current_win()
  vim.cmd(("topleft %dvsplit"):format(math.max(40, math.min(64, math.floor(vim.o.columns * 0.45)))))
  vim.api.nvim_win_set_buf(0, tree.board.buf)
  for name, value in pairs(OPTIONS) do
    vim.api.nvim_set_option_value(name, value, { scope = "local", win = 0 })
  end
  tree.all = true
  tree:draw()
  return tree
end

---Closes the windows of the tree in this tab page.
---@param connection? specloom.Connection
function M.close(connection)
  connection = connection or client.of()
  local tree = connection and of(connection.root)
  local window = tree and tree:window()
  if window then
    -- The last window cannot be closed.
    if #vim.api.nvim_tabpage_list_wins(0) == 1 then
      vim.cmd.enew()
    else
      vim.api.nvim_win_close(window, true)
    end
  end
end

---@param connection? specloom.Connection
function M.toggle(connection)
  connection = connection or client.of()
  local tree = connection and of(connection.root)
  if tree and tree:window() then
    return M.close(connection)
  end
  M.open(connection)
end

return M
