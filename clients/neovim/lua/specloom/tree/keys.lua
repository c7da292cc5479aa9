--- Keys of the tree's buffer. Refuses orders of its own: those are actions.
local actions = require("specloom.tree.actions")
local places = require("specloom.tree.places")

local M = {}

---@alias specloom.Act fun(tree: specloom.Tree, node: specloom.Node)

---@param tree specloom.Tree
---@param place specloom.Place?
---@param how string
---@param missing string what is said where there is none
local function go_to(tree, place, how, missing)
  if not place then
    return require("specloom.tell").echo(missing)
  end
  places.open(tree.connection, place, how, tree.before)
end

---@param how "edit"|"vsplit"|"split"|"tab"|"float"
---@return specloom.Act
local function open(how)
  return function(tree, node)
    go_to(tree, places.of(tree.connection.projection, node), how, "there is nothing to open here")
  end
end

---@type specloom.Act
local function requirement(tree, node)
  go_to(tree, places.requirement(tree.connection.projection, node), "edit", "no requirement is named here")
end

---@param closed boolean? nil: the other way
---@return specloom.Act
local function fold(closed)
  return function(tree, node)
    local board = tree.board
    local view, to = board.view, closed
    if to == nil then
      to = not view.closed[node.id]
    end
    if to and (not node.parent or view.closed[node.id]) then
      -- As `zc` does: closes what it stands in.
      local row = board.row[node.id]
      while row > 1 and board.nodes[row].depth >= node.depth do
        row = row - 1
      end
      node = board.nodes[row]
      vim.api.nvim_win_set_cursor(0, { row, 0 })
    end
    if node.parent then
      view.closed[node.id], board.kept[node.id] = to or nil, nil
      board:reshape(tree.connection.projection)
    end
  end
end

---@param closed boolean
---@return specloom.Act
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

---@param step 1|-1
---@param fits fun(node: specloom.Node, tree: specloom.Tree): boolean
---@return specloom.Act
local function go(step, fits)
  return function(tree)
    local nodes = tree.board.nodes
    local row, left, found = vim.api.nvim_win_get_cursor(0)[1] + step, vim.v.count1, nil
    while nodes[row] and left > 0 do
      if fits(nodes[row], tree) then
        found, left = row, left - 1
      end
      row = row + step
    end
    if found then
      vim.api.nvim_win_set_cursor(0, { found, 0 })
    end
  end
end

---Also what is closed over such a task.
local function is_failed(node, tree)
  local item = node.item
  if node.kind == "task" and item.isLeaf then
    return item.state == "failed" or item.state == "blocked"
  elseif not tree.board.view.closed[node.id] then
    return false
  end
  local tally = node.kind == "task" and tree.connection.projection.graph.tally[item.id] or item.counts
  return tally ~= nil and tally.failed + tally.blocked > 0
end

local function is_spec(node)
  return node.kind == "spec"
end

local toggle = fold()

---@type specloom.Act
local function act(tree, node)
  local connection, kind = tree.connection, node.kind
  if kind == "approval" then
    return require("specloom.approvals").choose(connection, node.item.id)
  elseif kind == "prompt" then
    return connection:order("specloom/prompt/withdraw", { promptId = node.item.id })
  elseif kind == "approvals" or kind == "agents" then
    return toggle(tree, node)
  end
  local menu = kind ~= "agent" and kind ~= "session" and actions.of(tree, node) or {}
  if #menu == 0 then
    return open("edit")(tree, node)
  end
  local titles = vim.tbl_map(function(action)
    return action[1]
  end, menu)
  require("specloom.choice").select(titles, node.item.title or node.item.name or "Plan", "", function(index)
    if index then
      menu[index][2]()
    end
  end)
end

---@type { [1]: string, [2]: string, [3]: specloom.Act }[]
local KEYS = {
  { "<CR>", "menu; answer the question; follow the agent; take words back", act },
  { "r", "run it; plan where there are no specs; go on when paused", actions.run },
  { "u", "stop the run or the plan", actions.stop },
  { "p", "tell about it", actions.preview },
  { "o", "open it", open("edit") },
  { "<C-v>", "open it in a vertical split", open("vsplit") },
  { "<C-s>", "open it in a split", open("split") },
  { "<C-t>", "open it in a tab page", open("tab") },
  { "<C-f>", "open it in a floating window", open("float") },
  { "gd", "go to its requirement", requirement },
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
}

---@type specloom.Act
local function close(tree)
  require("specloom.tree").close(tree.connection)
end

KEYS[#KEYS + 1] = { "q", "close", close }

---@param tree specloom.Tree
function M.map(tree)
  require("specloom.keys").map(tree.board.buf, "Task tree", KEYS, { "?", "g?" }, function(run)
    local node = tree.board.nodes[vim.api.nvim_win_get_cursor(0)[1]]
    if node and tree.connection.projection then
      run(tree, node)
    end
  end)
end

return M
