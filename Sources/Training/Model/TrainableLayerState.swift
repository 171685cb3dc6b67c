import Tensors

/// What one decoder layer keeps of its forward pass for its backward pass.
final class TrainableLayerState {
  let input: FloatBuffer  // [rows][hidden], the residual stream before the layer
  let inputNormed: FloatBuffer  // [rows][hidden]
  let inputInverse: FloatBuffer  // [rows]
  let queryKeyValue: FloatBuffer  // [rows][q, k, v], before the head norms
  let queryInverse: FloatBuffer  // [rows][heads]
  let keyInverse: FloatBuffer  // [rows][key/value heads]
  let queryKey: FloatBuffer  // [rows][q, k], normed and rotated
  let probabilities: FloatBuffer  // as the attention lays them out
  let attended: FloatBuffer  // [rows][heads × width]
  let middle: FloatBuffer  // [rows][hidden], the residual stream after attention
  let middleNormed: FloatBuffer  // [rows][hidden]
  let middleInverse: FloatBuffer  // [rows]
  let gateUp: FloatBuffer  // [rows][gate, up]
  let activated: FloatBuffer  // [rows][intermediate]

  init(_ shape: TrainableLayer, rows: Int, probabilities count: Int) {
    input = FloatBuffer(count: rows * shape.hidden)
    inputNormed = FloatBuffer(count: rows * shape.hidden)
    inputInverse = FloatBuffer(count: rows)
    queryKeyValue = FloatBuffer(count: rows * shape.queryKeyValueWidth)
    queryInverse = FloatBuffer(count: rows * shape.attention.heads)
    keyInverse = FloatBuffer(count: rows * shape.attention.keyValueHeads)
    queryKey = FloatBuffer(count: rows * shape.queryKeyWidth)
    probabilities = FloatBuffer(count: count)
    attended = FloatBuffer(count: rows * shape.output.inputs)
    middle = FloatBuffer(count: rows * shape.hidden)
    middleNormed = FloatBuffer(count: rows * shape.hidden)
    middleInverse = FloatBuffer(count: rows)
    gateUp = FloatBuffer(count: rows * shape.gateUp.outputs)
    activated = FloatBuffer(count: rows * shape.down.inputs)
  }
}

/// Gradients that live only while one layer's backward pass runs; shared by all layers.
final class TrainableLayerScratch {
  let activated: FloatBuffer  // [rows][intermediate]
  let gateUp: FloatBuffer  // [rows][gate, up]
  let normed: FloatBuffer  // [rows][hidden]
  let attended: FloatBuffer  // [rows][heads × width]
  let queryKeyValue: FloatBuffer  // [rows][q, k, v]
  let scores: FloatBuffer  // [tile rows][columns]
  let dots: FloatBuffer  // [tile rows]

  init(_ shape: TrainableLayer, rows: Int, columns: Int, tileRows: Int = CausalAttention.tileRows) {
    activated = FloatBuffer(count: rows * shape.down.inputs)
    gateUp = FloatBuffer(count: rows * shape.gateUp.outputs)
    normed = FloatBuffer(count: rows * shape.hidden)
    attended = FloatBuffer(count: rows * shape.output.inputs)
    queryKeyValue = FloatBuffer(count: rows * shape.queryKeyValueWidth)
    scores = FloatBuffer(count: tileRows * columns)
    dots = FloatBuffer(count: tileRows)
  }
}
