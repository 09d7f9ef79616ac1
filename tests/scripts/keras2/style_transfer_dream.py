# runs on: old keras only (2.x)
"""Neural style and DeepDream on a small convnet: K.variable, K.gradients, L-BFGS."""

import random

import numpy as np
from keras import backend as K
from keras.layers import AveragePooling2D, Conv2D, Input
from keras.models import Model
from scipy import ndimage
from scipy.optimize import fmin_l_bfgs_b

random.seed(8)
np.random.seed(8)
img_nrows = img_ncols = 16

rows, cols = np.mgrid[:16, :16]
content = np.where((rows - 8) ** 2 + (cols - 8) ** 2 < 20, 1.0, -1.0)
style = np.sin(rows * 1.5)
content, style = (np.repeat(x[None, :, :, None], 3, 3) * 50 for x in (content, style))
base_image = K.variable(content)
style_reference_image = K.variable(style)
combination_image = K.placeholder((1, img_nrows, img_ncols, 3))
input_tensor = K.concatenate(
    [base_image, style_reference_image, combination_image], axis=0
)


def network(tensor):
    x = Conv2D(8, 3, activation="tanh", padding="same", name="block1_conv1")(tensor)
    x = AveragePooling2D()(x)
    return Conv2D(8, 3, activation="tanh", padding="same", name="block2_conv1")(x)


images = Input(tensor=input_tensor)
model = Model(inputs=images, outputs=network(images))
model.set_weights([w * 0.1 for w in model.get_weights()])
outputs_dict = dict([(layer.name, layer.output) for layer in model.layers])


def gram_matrix(x):
    assert K.ndim(x) == 3
    features = K.batch_flatten(K.permute_dimensions(x, (2, 0, 1)))
    return K.dot(features, K.transpose(features))


def style_loss(style, combination):
    s, c = gram_matrix(style), gram_matrix(combination)
    return K.sum(K.square(s - c)) / (4.0 * (8**2) * ((img_nrows * img_ncols) ** 2))


def total_variation_loss(x):
    assert K.ndim(x) == 4
    a = K.square(x[:, :-1, :-1, :] - x[:, 1:, :-1, :])
    b = K.square(x[:, :-1, :-1, :] - x[:, :-1, 1:, :])
    return K.sum(K.pow(a + b, 1.25))


loss = K.variable(0.0)
features = outputs_dict["block2_conv1"]
loss = loss + 0.5 * K.sum(K.square(features[2, :, :, :] - features[0, :, :, :]))
for name in ["block1_conv1", "block2_conv1"]:
    features = outputs_dict[name]
    loss = loss + 10.0 * style_loss(features[1, :, :, :], features[2, :, :, :])
loss = loss + 1e-8 * total_variation_loss(combination_image)
grads = K.gradients(loss, combination_image)
f_outputs = K.function([combination_image], [loss] + grads)


class Evaluator(object):
    """Loss and gradient of one run of the graph, asked for one by one."""

    def __init__(self):
        self.grad_values = None

    def loss(self, x):
        outs = f_outputs([x.reshape((1, img_nrows, img_ncols, 3))])
        self.grad_values = outs[1].flatten().astype("float64")
        return float(outs[0])

    def grads(self, x):
        return self.grad_values


evaluator = Evaluator()
x, values = content.flatten(), []
start = evaluator.loss(x)
for i in range(3):
    x, min_val, info = fmin_l_bfgs_b(
        evaluator.loss, x, fprime=evaluator.grads, maxfun=8
    )
    values.append(min_val)
    print("Iteration", i, "loss", min_val)
assert values[-1] < 0.9 * start and np.abs(x - content.flatten()).max() > 0.1

# DeepDream: make a layer more active, over octaves.
dream = Input(shape=(None, None, 3))
deep = Model(dream, network(dream))
loss = K.variable(0.0)
for name, coefficient in {"block1_conv1": 1.0, "block2_conv1": 2.0}.items():
    activation = deep.get_layer(name).output
    scaling = K.prod(K.cast(K.shape(activation), "float32"))
    loss = loss + coefficient * K.sum(K.square(activation[:, 2:-2, 2:-2, :])) / scaling
grads = K.gradients(loss, dream)[0]
grads /= K.maximum(K.mean(K.abs(grads)), K.constant(1e-7))
fetch_loss_and_grads = K.function([dream], [loss, grads])
img, first = np.random.uniform(-0.1, 0.1, (1, 12, 12, 3)), None
for size in (12, 16):
    img = ndimage.zoom(img, (1, size / img.shape[1], size / img.shape[2], 1), order=1)
    for _ in range(10):
        loss_value, grad_values = fetch_loss_and_grads([img])
        first = loss_value if first is None else first
        img = img + 0.02 * grad_values
print("dream: %.4f -> %.4f" % (first, loss_value))
assert img.shape == (1, 16, 16, 3) and loss_value > 1.5 * first
print("RESULT", [model.count_params(), deep.count_params()])
