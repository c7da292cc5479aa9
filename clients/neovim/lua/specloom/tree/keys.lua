--- Keys of the tree's buffer, and the help that lists them. Refuses global maps.
local actions = require("specloom.tree.actions")
local places = require("specloom.tree.places")

local M = {}

---@param tree specloom.Tree
---@return specloom.Node?
local function node_of(tree)
  return tree.board.nodes[vim.api.nvim_win_get_cursor(0)[1]]
end

local function open(how)
  ---@param tree specloom.Tree
  ---@param node specloom.Node
  return function(tree, node)
    local place = places.of(tree.connection.projection, node)
    if place then
      places.open(tree.connection, place, how, tree.before)
    end
  end
end

---@param tree specloom.Tree
---@param closed boolean?
local function fold(closed)
  ---@param node specloom.Node
  return function(tree, node)
    local view = tree.board.view
    local to = closed
    if to == nil then
      to = not view.closed[node.id]
    end
    if to and (not node.parent or view.closed[node.id]) then
      -- As `zc` does: closes what it stands in.
      local row = tree.board.row[node.id]
      while row > 1 and tree.board.nodes[row].depth >= node.depth do
        row = row - 1
      end
      node = tree.board.nodes[row]
      vim.api.nvim_win_set_cursor(0, { row, 0 })
    end
    if node.parent then
      view.closed[node.id] = to or nil
      tree.board.kept[node.id] = nil
      tree.board:reshape(tree.connection.projection)
    end
  end
end

---@param closed boolean
local function fold_all(closed)
  return function(tree)
    local p, view = tree.connection.projection, tree.board.view
    view.closed = {}
    for _, spec in ipairs(closed and p.specs or {}) do
      view.closed["spec " .. spec.id] = #spec.tops > 0 or nil
    end
    tree.board:renew(p)
  end
end

---@param step integer
---@param fits fun(p: specloom.Projection, node: specloom.Node): boolean
local function go(step, fits)
  return function(tree)
    local p, nodes = tree.connection.projection, tree.board.nodes
    local row = vim.api.nvim_win_get_cursor(0)[1] + step
    while nodes[row] do
      if fits(p, nodes[row]) then
        return vim.api.nvim_win_set_cursor(0, { row, 0 })
      end
      row = row + step
    end
  end
end

local function is_failed(p, node)
  local task = node.kind == "task" and p.tasks[node.ref]
  return task and task.isLeaf and (task.state == "failed" or task.state == "blocked")
end

local function is_spec(_, node)
  return node.kind == "spec"
end

local toggle = fold()

---@param tree specloom.Tree
---@param node specloom.Node
local function act(tree, node)
  local connection = tree.connection
  if node.kind == "approval" then
    return require("specloom.approvals").choose(connection, node.ref)
  elseif node.kind == "agent" or node.kind == "session" then
    return open("edit")(tree, node)
  elseif node.kind == "prompt" then
    return connection:order("specloom/prompt/withdraw", { promptId = node.ref })
  elseif node.kind == "approvals" or node.kind == "agents" then
    return toggle(tree, node)
  end
  local menu = actions.of(connection, node)
  if #menu == 0 then
    return open("edit")(tree, node)
  end
  local titles = vim.tbl_map(function(action)
    return action.title
  end, menu)
  vim.ui.select(titles, { prompt = "Specloom: " .. (node.ref ~= "" and node.ref or "project") }, function(_, index)
    if index then
      menu[index].run()
    end
  end)
end

---@type { [1]: string, [2]: string, [3]: fun(tree: specloom.Tree, node: specloom.Node) }[]
local KEYS = {
  { "<CR>", "menu; answer the question; follow the agent; take words back", act },
  {
    "r",
    "run it; plan where there are no specs; go on when paused",
    function(tree, node)
      actions.run(tree.connection, node)
    end,
  },
  {
    "u",
    "stop the run or the plan",
    function(tree)
      actions.stop(tree.connection)
    end,
  },
  {
    "p",
    "tell about it",
    function(tree, node)
      actions.preview(tree.connection, node)
    end,
  },
  { "o", "open it", open("edit") },
  { "<C-v>", "open it in a vertical split", open("vsplit") },
  { "<C-s>", "open it in a split", open("split") },
  { "<C-t>", "open it in a tab page", open("tab") },
  { "<C-f>", "open it in a floating window", open("float") },
  {
    "gd",
    "go to its requirement",
    function(tree, node)
      local place = places.requirement(tree.connection.projection, node)
      if place then
        places.open(tree.connection, place, "edit", tree.before)
      end
    end,
  },
  { "J", "next / previous that failed or is blocked", go(1, is_failed) },
  { "K", "next / previous that failed or is blocked", go(-1, is_failed) },
  { "}", "next / previous spec", go(1, is_spec) },
  { "{", "next / previous spec", go(-1, is_spec) },
  { "<Tab>", "fold or unfold", toggle },
  { "za", "fold or unfold", toggle },
  { "zo", "unfold / fold", fold(false) },
  { "zc", "unfold / fold", fold(true) },
  { "zR", "unfold / fold all specs", fold_all(false) },
  { "zM", "unfold / fold all specs", fold_all(true) },
  {
    "q",
    "close",
    function(tree)
      require("specloom.tree").close(tree.connection)
    end,
  },
}

local function help()
  require("specloom.tree.help").show("Task tree", KEYS)
end

---@param tree specloom.Tree
function M.map(tree)
  for _, key in ipairs(KEYS) do
    vim.keymap.set("n", key[1], function()
      local node = node_of(tree)
      if node and tree.connection.projection then
        key[3](tree, node)
      end
    end, { buffer = tree.board.buf, nowait = true, silent = true, desc = "Specloom: " .. key[2] })
  end
  for _, lhs in ipairs({ "?", "g?" }) do
    vim.keymap.set("n", lhs, help, { buffer = tree.board.buf, nowait = true, desc = "Specloom: keys" })
  end
end

return M
